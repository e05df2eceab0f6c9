package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// Election is between two instances: never are there two leaders, and each loss is another's gain.
type Election struct {
	mutex    sync.Mutex
	leading  map[string]bool
	terms    []string
	problems []string
	done     sync.WaitGroup
}

const (
	leaseFor      = 8 * time.Second
	renewWithin   = 6 * time.Second
	retryInterval = time.Second
)

// elect lets the first leader go after a third of the time, without giving its lease back, as if it had died.
func elect(ctx context.Context, world *World, options Options) *Election {
	election := &Election{leading: map[string]bool{}}
	for _, identity := range []string{"one", "two"} {
		election.done.Go(func() { election.stand(ctx, world, identity, options.duration/3) })
	}
	return election
}

func (e *Election) stand(ctx context.Context, world *World, identity string, patience time.Duration) {
	for ctx.Err() == nil {
		term, resign := context.WithCancel(ctx)
		lock := &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Name: "leader", Namespace: world.namespace},
			Client:     world.clients.typed.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
		}
		leaderelection.RunOrDie(term, leaderelection.LeaderElectionConfig{
			Lock:          lock,
			LeaseDuration: leaseFor,
			RenewDeadline: renewWithin,
			RetryPeriod:   retryInterval,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(ctx context.Context) {
					if e.begin(identity) {
						select {
						case <-ctx.Done():
						case <-time.After(patience):
						}
						resign()
					}
				},
				OnStoppedLeading: func() { e.end(identity) },
			},
		})
		resign()
	}
}

// begin tells whether this is the first term of all: its leader is the one that leaves.
func (e *Election) begin(identity string) bool {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	for other := range e.leading {
		e.problems = append(e.problems, fmt.Sprintf("%s leads while %s does", identity, other))
	}
	e.leading[identity] = true
	e.terms = append(e.terms, identity)
	return len(e.terms) == 1
}

func (e *Election) end(identity string) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	delete(e.leading, identity)
}

func (e *Election) wait() { e.done.Wait() }

func (e *Election) judge(report *Report) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	report.Leaders = len(e.terms)
	report.Problems = append(report.Problems, e.problems...)
	if len(e.terms) < 2 {
		report.Problems = append(report.Problems, fmt.Sprintf("nobody took over from the first leader: terms were %v", e.terms))
	}
}
