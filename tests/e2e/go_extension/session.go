package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"

	pb "gate/ebpfd"
)

// module takes the callbacks of its registrations.  Each call is made on a goroutine of its own.
type module interface {
	attach(callback *pb.AttachCallback) *pb.CallbackReturn
	// detach calls complete, after its answer PENDING has been sent, when nothing is in flight.
	detach(callback *pb.DetachCallback) (returned *pb.CallbackReturn, answered func())
	cleanup(callback *pb.CleanupCallback) *pb.CallbackReturn
}

// refusedError is a registration that the daemon did not take: to try again would not help.
type refusedError struct{ reason string }

func (e *refusedError) Error() string { return "not registered: " + e.reason }

// session is the conversation with the registrar.  Calls go one way, callbacks the other, and
// neither waits for the other: a registration is answered only when the attaches that it queued
// have ended.
type session struct {
	id     string
	module module
	ended  chan struct{} // closed when the stream is over
	stream grpc.BidiStreamingClient[pb.SessionRequest, pb.SessionResponse]
	cancel context.CancelFunc
	// failure says why it ended, once it has.
	failure error

	writing sync.Mutex // a stream takes one message at a time

	mutex         sync.Mutex
	lastCall      uint64
	calls         map[uint64]call
	registrations map[uint64]bool
	completions   map[uint64]chan struct{}
}

// call is a call of ours that is not answered yet.
type call struct {
	answer    chan *pb.CallReturn
	registers bool
}

func openSession(connection *grpc.ClientConn, process *processInstance) (*session, error) {
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := pb.NewRegistrarClient(connection).Session(ctx, grpc.WaitForReady(true))
	if err != nil {
		cancel()
		return nil, err
	}
	s := &session{
		ended:         make(chan struct{}),
		stream:        stream,
		cancel:        cancel,
		calls:         map[uint64]call{},
		registrations: map[uint64]bool{},
		completions:   map[uint64]chan struct{}{},
	}
	hello := &pb.Hello{
		ProtocolVersion: 1,
		Name:            "gate",
		ProcessInstance: process.id,
		ResumeToken:     process.resumeToken,
		ProcessId:       uint32(os.Getpid()),
	}
	s.send(&pb.SessionRequest{Message: &pb.SessionRequest_Hello{Hello: hello}})
	first, err := stream.Recv()
	if err != nil {
		cancel()
		return nil, err
	}
	welcome := first.GetWelcome()
	if welcome == nil {
		cancel()
		return nil, errors.New("it does not speak the registrar's protocol")
	}
	s.id, process.resumeToken = welcome.SessionId, welcome.ResumeToken
	if lease := time.Duration(welcome.LeaseMs) * time.Millisecond; lease > 0 {
		go s.beat(lease / 3)
	}
	return s, nil
}

// close ends the stream from this side.
func (s *session) close() {
	s.stream.CloseSend()
	s.cancel()
}

// register answers when the attaches of whoever was waiting have ended.
func (s *session) register(instance *pb.RegistrationInstance) (uint64, error) {
	answer, err := s.call(&pb.SessionRequest{Message: &pb.SessionRequest_Register{
		Register: &pb.Register{Role: pb.Role_ROLE_PROVIDER, Instance: instance, HasCleanup: true},
	}})
	if err != nil {
		return 0, err
	}
	if answer.Status != statusSuccess {
		return 0, &refusedError{fmt.Sprintf("status %#x: %s", answer.Status, answer.Message)}
	}
	return answer.Registration, nil
}

// deregister returns when the last client is detached.
func (s *session) deregister(registration uint64) error {
	complete := make(chan struct{})
	s.mutex.Lock()
	s.completions[registration] = complete
	s.mutex.Unlock()
	answer, err := s.call(&pb.SessionRequest{Message: &pb.SessionRequest_Deregister{
		Deregister: &pb.Deregister{Registration: registration},
	}})
	if err != nil || answer.Status != statusPending {
		return err
	}
	select {
	case <-complete:
		return nil
	case <-s.ended:
		return s.failure
	}
}

// knows tells whether an attach can be meant for us.  Until register is answered, its registration
// has no number on this side: then any new one may be it.
func (s *session) knows(registration uint64) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, open := range s.calls {
		if open.registers {
			return true
		}
	}
	return s.registrations[registration]
}

// detachComplete follows a detach that was answered with PENDING.
func (s *session) detachComplete(binding uint64) {
	s.send(&pb.SessionRequest{Message: &pb.SessionRequest_DetachComplete{
		DetachComplete: &pb.DetachComplete{Binding: binding, Role: pb.Role_ROLE_PROVIDER},
	}})
}

// read dispatches messages until the stream is over.
func (s *session) read() {
	defer close(s.ended)
	for {
		message, err := s.stream.Recv()
		if err != nil {
			s.failure = err
			s.cancel()
			return
		}
		s.dispatch(message)
	}
}

func (s *session) dispatch(message *pb.SessionResponse) {
	id := message.CallbackId
	switch m := message.Message.(type) {
	case *pb.SessionResponse_CallReturn:
		s.returned(m.CallReturn)
	case *pb.SessionResponse_DeregisterComplete:
		s.mutex.Lock()
		complete := s.completions[m.DeregisterComplete.Registration]
		delete(s.completions, m.DeregisterComplete.Registration)
		s.mutex.Unlock()
		if complete != nil {
			close(complete)
		}
	case *pb.SessionResponse_Attach:
		go func() {
			if !s.knows(m.Attach.Registration) {
				s.answer(id, refusal(statusNoInterface, "no such registration"))
				return
			}
			s.answer(id, s.module.attach(m.Attach))
		}()
	case *pb.SessionResponse_Detach:
		go func() {
			returned, answered := s.module.detach(m.Detach)
			s.answer(id, returned)
			answered()
		}()
	case *pb.SessionResponse_Cleanup:
		go func() { s.answer(id, s.module.cleanup(m.Cleanup)) }()
	case *pb.SessionResponse_HelperCall:
		unserved := &pb.HelperReturn{CallbackId: id, Error: "the gate serves no helpers"}
		s.send(&pb.SessionRequest{Message: &pb.SessionRequest_HelperReturn{HelperReturn: unserved}})
	case *pb.SessionResponse_Heartbeat:
		s.heartbeat()
	default:
		// A message of a later version: it is not for us.
	}
}

// returned takes the answer to a call.  What follows it on the stream may count on it.
func (s *session) returned(answer *pb.CallReturn) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	open, ok := s.calls[answer.CallId]
	if !ok {
		return
	}
	delete(s.calls, answer.CallId)
	if open.registers && answer.Status == statusSuccess {
		s.registrations[answer.Registration] = true
	}
	open.answer <- answer
}

func (s *session) call(request *pb.SessionRequest) (*pb.CallReturn, error) {
	answer := make(chan *pb.CallReturn, 1)
	s.mutex.Lock()
	s.lastCall++
	request.CallId = s.lastCall
	s.calls[request.CallId] = call{answer, request.GetRegister() != nil}
	s.mutex.Unlock()
	s.send(request)
	select {
	case returned := <-answer:
		return returned, nil
	case <-s.ended:
		return nil, s.failure
	}
}

func (s *session) answer(callback uint64, returned *pb.CallbackReturn) {
	returned.CallbackId = callback
	s.send(&pb.SessionRequest{Message: &pb.SessionRequest_CallbackReturn{CallbackReturn: returned}})
}

func (s *session) beat(every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.heartbeat()
		case <-s.ended:
			return
		}
	}
}

func (s *session) heartbeat() {
	s.send(&pb.SessionRequest{Message: &pb.SessionRequest_Heartbeat{Heartbeat: &pb.Heartbeat{}}})
}

// send leaves it to read to find out that the stream is over, and why.
func (s *session) send(request *pb.SessionRequest) {
	s.writing.Lock()
	defer s.writing.Unlock()
	_ = s.stream.Send(request)
}

func refusal(status uint32, message string) *pb.CallbackReturn {
	return &pb.CallbackReturn{Status: status, Message: message}
}
