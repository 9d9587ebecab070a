// An extension in Go on the generated stubs alone: a gate, whose programs decide who passes.
//
// It finds its daemon by EBPFD_ADDRESS, reconnects when the daemon comes back, and leaves in good
// order on SIGTERM.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
)

func main() {
	log.SetFlags(0)
	address := os.Getenv("EBPFD_ADDRESS")
	if address == "" {
		log.Fatal("EBPFD_ADDRESS is not set: name the daemon's address, as unix:/path/of/its.sock")
	}
	connection, err := grpc.NewClient(
		address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{
			BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second,
		}}),
	)
	if err != nil {
		log.Fatalf("%s: %v", address, err)
	}
	defer connection.Close()
	leave, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	process := newProcess()
	for leave.Err() == nil {
		err := serve(leave, connection, process)
		if refused := (*refusedError)(nil); errors.As(err, &refused) {
			log.Fatal(refused)
		}
		if err != nil && leave.Err() == nil {
			log.Printf("the daemon is gone: %v", err)
			pause(leave, 50*time.Millisecond)
		}
	}
}

// serve is one session, from hello to its end.
func serve(leave context.Context, connection *grpc.ClientConn, process *processInstance) error {
	session, err := openSession(connection, process)
	if err != nil {
		return err
	}
	defer session.close()
	gate := newGate(session)
	session.module = gate
	go session.read()
	if err := gate.openStream(connection); err != nil {
		return err
	}
	programType, err := session.register(programTypeInstance())
	if err != nil {
		return err
	}
	hook, err := session.register(hookInstance())
	if err != nil {
		return err
	}
	log.Printf("gate: connected to %s", connection.Target())
	select {
	case <-session.ended:
		return session.failure
	case <-leave.Done():
	}
	gate.stop()
	// A hook is of no use without its program type, so it goes first.
	if err := session.deregister(hook); err != nil {
		return err
	}
	return session.deregister(programType)
}

// processInstance is what stays the same over all sessions of this process.
type processInstance struct {
	id          []byte
	resumeToken []byte
}

func newProcess() *processInstance {
	id := make([]byte, 16)
	rand.Read(id)
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // a random UUID, as RFC 4122 has it
	return &processInstance{id: id}
}

func pause(until context.Context, duration time.Duration) {
	select {
	case <-until.Done():
	case <-time.After(duration):
	}
}
