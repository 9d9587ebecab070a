package main

import (
	"encoding/hex"
	"fmt"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	pb "gate/ebpfd"
)

// gate is the hook: who is attached, and what is in flight.
type gate struct {
	session *session
	stream  grpc.BidiStreamingClient[pb.InvokeRequest, pb.InvokeResponse]
	writing sync.Mutex

	mutex    sync.Mutex
	bindings map[uint64]bool // of hook and program type, until their cleanup
	links    []*link         // in the order of their coming
	stopped  bool
	sequence uint64
	waiting  map[uint64]chan *pb.InvokeResponse
}

// link is a program that somebody attached.  It is in use until it is detached and drained.
type link struct {
	binding   uint64
	parameter string
	inFlight  int
	// drained is what the last invocation in flight does when it ends; nil: nobody waits.
	drained func()
}

func newGate(session *session) *gate {
	return &gate{
		session:  session,
		bindings: map[uint64]bool{},
		waiting:  map[uint64]chan *pb.InvokeResponse{},
	}
}

// openStream opens the data stream of the session.
func (g *gate) openStream(connection *grpc.ClientConn) error {
	ctx := metadata.AppendToOutgoingContext(
		g.session.stream.Context(), "ebpfd-session", g.session.id,
	)
	stream, err := pb.NewHookClient(connection).Invoke(ctx)
	if err != nil {
		return err
	}
	g.stream = stream
	go g.read()
	return nil
}

// stop lets nothing new start.
func (g *gate) stop() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.stopped = true
}

func (g *gate) attach(callback *pb.AttachCallback) *pb.CallbackReturn {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if slices.Equal(callback.Peer.GetNpiId(), hookContract[:]) {
		if refused := g.addLink(callback); refused != nil {
			return refused
		}
	}
	g.bindings[callback.Binding] = true
	context := fmt.Appendf(nil, "gate %d", callback.Binding)
	return &pb.CallbackReturn{Provider: &pb.BindingSide{BindingContext: context}}
}

// addLink lets a link in, unless its parameter has one already.
func (g *gate) addLink(callback *pb.AttachCallback) *pb.CallbackReturn {
	data := callback.Peer.Characteristics.GetExtensionData()
	if data == nil || callback.Client.GetDispatch() == nil {
		return refusal(statusInvalidParameter, "a link has extension data and a dispatch table")
	}
	for _, other := range g.links {
		if other.parameter == string(data.Data) {
			shown := hex.EncodeToString(data.Data)
			return refusal(statusInvalidParameter, "a link has the parameter "+shown+" already")
		}
	}
	g.links = append(g.links, &link{binding: callback.Binding, parameter: string(data.Data)})
	return nil
}

func (g *gate) detach(callback *pb.DetachCallback) (*pb.CallbackReturn, func()) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	index := slices.IndexFunc(g.links, func(l *link) bool { return l.binding == callback.Binding })
	if index < 0 { // a program's, or one that nobody told us of
		return &pb.CallbackReturn{}, func() {}
	}
	leaving := g.links[index]
	g.links = slices.Delete(g.links, index, index+1)
	if leaving.inFlight == 0 {
		return &pb.CallbackReturn{}, func() {}
	}
	return &pb.CallbackReturn{Status: statusPending}, func() { g.completeWhenDrained(leaving) }
}

// completeWhenDrained says that a link is detached, now or when its last invocation is answered.
func (g *gate) completeWhenDrained(l *link) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	complete := func() { g.session.detachComplete(l.binding) }
	if l.inFlight == 0 {
		complete()
		return
	}
	l.drained = complete
}

func (g *gate) cleanup(callback *pb.CleanupCallback) *pb.CallbackReturn {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	delete(g.bindings, callback.Binding)
	return &pb.CallbackReturn{}
}

// read takes answers to invocations, and fires of clients.
func (g *gate) read() {
	for {
		message, err := g.stream.Recv()
		if err != nil {
			g.session.cancel() // one stream without the other is of no use
			return
		}
		if fire := message.Fire; fire != nil {
			go g.answer(fire)
			continue
		}
		g.mutex.Lock()
		answer := g.waiting[message.Sequence]
		delete(g.waiting, message.Sequence)
		g.mutex.Unlock()
		if answer != nil {
			answer <- message
		}
	}
}

func (g *gate) answer(fire *pb.Fire) {
	g.send(&pb.InvokeRequest{
		FireReturn: &pb.FireReturn{FireId: fire.FireId, Result: g.fire(fire)},
	})
}

// fire runs what is attached on a client's events.
func (g *gate) fire(fire *pb.Fire) *pb.BatchResult {
	if !slices.Equal(fire.AttachType, gateAttachType[:]) {
		return failed(resultObjectNotFound, "the gate does not provide this hook")
	}
	found, code := g.enter(fire)
	if found == nil {
		return failed(code, "")
	}
	defer g.leave(found)
	done, ok := g.invoke(found, fire)
	if !ok {
		return failed(resultCanceled, "the daemon is gone")
	}
	return &pb.BatchResult{
		Code: done.Code, Message: done.Message, Codes: done.Codes, Results: done.Results,
		Contexts: done.Contexts, Data: done.Data,
	}
}

// enter finds whom a fire reaches, and counts it as in flight in the same moment.
func (g *gate) enter(fire *pb.Fire) (*link, uint32) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.stopped {
		return nil, resultCanceled
	}
	if len(g.links) == 0 {
		return nil, resultObjectNotFound
	}
	for _, l := range g.links {
		if !fire.HasParameter || l.parameter == string(fire.Parameter) {
			l.inFlight++
			return l, resultSuccess
		}
	}
	return nil, resultKeyNotFound
}

func (g *gate) leave(l *link) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	l.inFlight--
	if l.inFlight == 0 && l.drained != nil {
		l.drained()
	}
}

// invoke runs a link's program; false: the session ended before the answer.
func (g *gate) invoke(l *link, fire *pb.Fire) (*pb.InvokeResponse, bool) {
	answer := make(chan *pb.InvokeResponse, 1)
	g.mutex.Lock()
	g.sequence++
	sequence := g.sequence
	g.waiting[sequence] = answer
	g.mutex.Unlock()
	g.send(&pb.InvokeRequest{
		Sequence: sequence,
		Target:   &pb.InvokeRequest_Binding{Binding: l.binding},
		Count:    max(fire.Batch.GetCount(), 1), Contexts: fire.Batch.GetContexts(),
		Data: fire.Batch.GetData(), DataLengths: fire.Batch.GetDataLengths(),
		MetaLengths: fire.Batch.GetMetaLengths(), Origin: fire.Origin,
	})
	select {
	case done := <-answer:
		return done, true
	case <-g.session.ended:
		return nil, false
	}
}

func (g *gate) send(request *pb.InvokeRequest) {
	g.writing.Lock()
	defer g.writing.Unlock()
	_ = g.stream.Send(request)
}

func failed(code uint32, message string) *pb.BatchResult {
	return &pb.BatchResult{Code: code, Message: message}
}
