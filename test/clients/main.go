// Command clients is what a controller written in Go does to a cluster, for as long as it is told: shared informers on
// several kinds, two instances that elect a leader by Lease, writers, and status updates with retries. At its end it
// compares what its caches hold with what the server lists, and what the server acknowledged with what is there. The
// last line it prints is a Report; it exits with 1 when anything differs.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Options are the flags.
type Options struct {
	kubeconfig string
	namespace  string
	duration   time.Duration
	writers    int
	rate       float64
	protobuf   bool
}

// Clients speak with the cluster, each in the way its users do: typed ones in protobuf, the others in JSON.
type Clients struct {
	typed    kubernetes.Interface
	dynamic  dynamic.Interface
	metadata metadata.Interface
}

// Report is the last line of output.
type Report struct {
	OK          bool                `json:"ok"`
	Problems    []string            `json:"problems"`
	Seconds     float64             `json:"seconds"`
	Writes      int                 `json:"writes"`
	WritesRate  float64             `json:"writesPerSecond"`
	Retries     int                 `json:"retries"`
	Conflicts   int                 `json:"conflicts"`
	Events      int                 `json:"events"`
	Leaders     int                 `json:"leaders"`
	StatusSeen  int                 `json:"statusTokens"`
	CacheDigest string              `json:"cacheDigest"`
	StoreDigest string              `json:"storeDigest"`
	Kinds       map[string]KindSums `json:"kinds"`
}

// KindSums are of one informer.
type KindSums struct {
	Objects int    `json:"objects"`
	Cache   string `json:"cache"`
	Store   string `json:"store"`
}

func main() {
	options := parseOptions()
	ctx, cancel := context.WithTimeout(context.Background(), options.duration+3*time.Minute)
	defer cancel()
	report, err := run(ctx, options)
	if err != nil {
		fmt.Fprintln(os.Stderr, "clients:", err)
		os.Exit(2)
	}
	line, _ := json.Marshal(report)
	fmt.Println(string(line))
	if !report.OK {
		os.Exit(1)
	}
}

func parseOptions() Options {
	var options Options
	flag.StringVar(&options.kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "how to reach the cluster")
	flag.StringVar(&options.namespace, "namespace", "go-clients", "created, and written into")
	flag.DurationVar(&options.duration, "duration", time.Minute, "how long to write")
	flag.IntVar(&options.writers, "writers", 4, "writers at once, each with objects of its own")
	flag.Float64Var(&options.rate, "rate", 20, "writes a second of each writer")
	flag.BoolVar(&options.protobuf, "protobuf", true, "let typed clients speak protobuf")
	flag.Parse()
	return options
}

func run(ctx context.Context, options Options) (*Report, error) {
	clients, err := connect(options)
	if err != nil {
		return nil, err
	}
	if err := prepare(ctx, clients, options.namespace); err != nil {
		return nil, err
	}
	world := &World{clients: clients, namespace: options.namespace, model: newModel()}
	informers, err := startInformers(ctx, world)
	if err != nil {
		return nil, err
	}
	fmt.Println("ready")

	started := time.Now()
	writing, stopWriting := context.WithTimeout(ctx, options.duration)
	defer stopWriting()
	var workers sync.WaitGroup
	for index := range options.writers {
		workers.Go(func() { write(writing, world, index, options.rate) })
		workers.Go(func() { updateStatus(writing, world, index) })
	}
	election := elect(writing, world, options)
	workers.Wait()
	election.wait()
	seconds := time.Since(started).Seconds()
	fmt.Println("written")

	report := compare(ctx, world, informers)
	election.judge(report)
	world.model.judge(ctx, world, report)
	report.Seconds = seconds
	report.Writes, report.Retries, report.Conflicts = world.model.counts()
	report.WritesRate = float64(report.Writes) / seconds
	report.OK = len(report.Problems) == 0
	return report, nil
}

func connect(options Options) (*Clients, error) {
	config, err := clientcmd.BuildConfigFromFlags("", options.kubeconfig)
	if err != nil {
		return nil, err
	}
	// The defaults of five a second are for people; a controller sets its own.
	config.QPS, config.Burst = 500, 1000
	config.UserAgent = "go-clients"
	typed := rest.CopyConfig(config)
	typed.ContentType = "application/json"
	if options.protobuf {
		typed.ContentType = "application/vnd.kubernetes.protobuf"
		typed.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	}
	clients := &Clients{}
	if clients.typed, err = kubernetes.NewForConfig(typed); err != nil {
		return nil, err
	}
	if clients.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, err
	}
	clients.metadata, err = metadata.NewForConfig(config)
	return clients, err
}

// prepare makes the namespace and the kind of our own, and waits until the kind is served.
func prepare(ctx context.Context, clients *Clients, namespace string) error {
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	_, err := clients.typed.CoreV1().Namespaces().Create(ctx, space, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	_, err = clients.dynamic.Resource(definitions).Create(ctx, widgetDefinition(), metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		_, err := clients.dynamic.Resource(widgets).Namespace(namespace).List(ctx, metav1.ListOptions{})
		return err == nil, nil
	})
}

// stubborn does what must be done in the end: it tries again while the server is away or says that somebody else was
// faster. It gives up only when the writing is over.
func stubborn(ctx context.Context, world *World, act func(context.Context) error) error {
	for attempt := 0; ; attempt++ {
		// An attempt that has begun is seen to its end, so that what it did is known.
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		err := act(bounded)
		cancel()
		if err == nil || isAnswer(err) {
			return err
		}
		world.model.retried(err)
		pause := min(time.Second, time.Duration(10<<min(attempt, 7))*time.Millisecond)
		time.Sleep(pause/2 + time.Duration(rand.Int63n(int64(pause))))
		if attempt > 200 {
			return fmt.Errorf("gave up after %d attempts: %w", attempt, err)
		}
	}
}

// isAnswer tells what the server decided from what only says to try again.
func isAnswer(err error) bool {
	return apierrors.IsNotFound(err) || apierrors.IsAlreadyExists(err) || apierrors.IsInvalid(err) ||
		apierrors.IsBadRequest(err) || apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err)
}
