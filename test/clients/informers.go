package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
)

// Watched is one informer and the list that its cache must equal.
type Watched struct {
	name     string
	informer cache.SharedIndexInformer
	list     func(context.Context) ([]runtime.Object, error)
	seen     *sightings
}

// sightings hold an informer to its word: of each object ever newer states, and none after it is gone.
type sightings struct {
	mutex    sync.Mutex
	latest   map[string]uint64
	events   int
	problems []string
}

func startInformers(ctx context.Context, world *World) ([]*Watched, error) {
	clients, namespace := world.clients, world.namespace
	all := metav1.ListOptions{}
	typed := informers.NewSharedInformerFactoryWithOptions(clients.typed, 0, informers.WithNamespace(namespace))
	whole := informers.NewSharedInformerFactory(clients.typed, 0)
	custom := dynamicinformer.NewFilteredDynamicSharedInformerFactory(clients.dynamic, 0, namespace, nil)
	partial := metadatainformer.NewFilteredSharedInformerFactory(clients.metadata, 0, namespace, nil)
	core := clients.typed.CoreV1()
	watched := []*Watched{
		{name: "configmaps", informer: typed.Core().V1().ConfigMaps().Informer(), list: func(ctx context.Context) ([]runtime.Object, error) {
			return items(core.ConfigMaps(namespace).List(ctx, all))
		}},
		{name: "secrets", informer: typed.Core().V1().Secrets().Informer(), list: func(ctx context.Context) ([]runtime.Object, error) {
			return items(core.Secrets(namespace).List(ctx, all))
		}},
		{name: "services", informer: typed.Core().V1().Services().Informer(), list: func(ctx context.Context) ([]runtime.Object, error) {
			return items(core.Services(namespace).List(ctx, all))
		}},
		{name: "deployments", informer: typed.Apps().V1().Deployments().Informer(), list: func(ctx context.Context) ([]runtime.Object, error) {
			return items(clients.typed.AppsV1().Deployments(namespace).List(ctx, all))
		}},
		{name: "leases", informer: typed.Coordination().V1().Leases().Informer(), list: func(ctx context.Context) ([]runtime.Object, error) {
			return items(clients.typed.CoordinationV1().Leases(namespace).List(ctx, all))
		}},
		{name: "namespaces", informer: whole.Core().V1().Namespaces().Informer(), list: func(ctx context.Context) ([]runtime.Object, error) {
			return items(core.Namespaces().List(ctx, all))
		}},
		{name: "widgets", informer: custom.ForResource(widgets).Informer(), list: func(ctx context.Context) ([]runtime.Object, error) {
			return items(clients.dynamic.Resource(widgets).Namespace(namespace).List(ctx, all))
		}},
		{name: "metadata of configmaps", informer: partial.ForResource(configMaps).Informer(), list: func(ctx context.Context) ([]runtime.Object, error) {
			return items(clients.metadata.Resource(configMaps).Namespace(namespace).List(ctx, all))
		}},
	}
	for _, one := range watched {
		one.seen = &sightings{latest: map[string]uint64{}}
		if _, err := one.informer.AddEventHandler(one.seen.handler()); err != nil {
			return nil, err
		}
	}
	for _, factory := range []interface{ Start(<-chan struct{}) }{typed, whole, custom, partial} {
		factory.Start(ctx.Done())
	}
	syncing, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for _, one := range watched {
		if !cache.WaitForCacheSync(syncing.Done(), one.informer.HasSynced) {
			return nil, fmt.Errorf("the informer of %s did not sync within 30 s", one.name)
		}
	}
	return watched, nil
}

func items(list runtime.Object, err error) ([]runtime.Object, error) {
	if err != nil {
		return nil, err
	}
	return meta.ExtractList(list)
}

func (s *sightings) handler() cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { s.note("added", object) },
		UpdateFunc: func(_, object any) { s.note("updated", object) },
		DeleteFunc: func(object any) { s.note("deleted", object) },
	}
}

func (s *sightings) note(how string, object any) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.events++
	// What was deleted while the watch was away is told without its last state.
	if last, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = last.Obj
	}
	accessor, err := meta.Accessor(object)
	if err != nil {
		s.problems = append(s.problems, err.Error())
		return
	}
	key := string(accessor.GetUID())
	version, err := strconv.ParseUint(accessor.GetResourceVersion(), 10, 64)
	if err != nil {
		s.problems = append(s.problems, err.Error())
		return
	}
	before, known := s.latest[key]
	if how == "added" && known || how != "added" && !known || version < before {
		s.problems = append(s.problems, fmt.Sprintf("%s was %s at %d after %d", accessor.GetName(), how, version, before))
	}
	if how == "deleted" {
		delete(s.latest, key)
	} else {
		s.latest[key] = version
	}
}

// patience is longer than the half minute that an informer may wait before it connects again, with its jitter.
const patience = 90 * time.Second

// compare waits until every cache equals its list: a cache is allowed to be late and not to stay wrong.
func compare(ctx context.Context, world *World, watched []*Watched) *Report {
	report := &Report{Kinds: map[string]KindSums{}, Problems: []string{}}
	deadline := time.Now().Add(patience)
	for {
		equal := true
		for _, one := range watched {
			sums := one.sums(ctx)
			report.Kinds[one.name] = sums
			equal = equal && sums.Cache == sums.Store
		}
		if equal || time.Now().After(deadline) || ctx.Err() != nil {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	names := make([]string, 0, len(report.Kinds))
	for name, sums := range report.Kinds {
		names = append(names, name)
		if sums.Cache != sums.Store {
			report.Problems = append(report.Problems, fmt.Sprintf("the cache of %s differs from the store", name))
		}
	}
	for _, one := range watched {
		if sums := report.Kinds[one.name]; sums.Cache != sums.Store {
			report.Problems = append(report.Problems, one.differences(ctx)...)
		}
	}
	sort.Strings(names)
	caches, stores := sha256.New(), sha256.New()
	for _, name := range names {
		fmt.Fprintln(caches, name, report.Kinds[name].Cache)
		fmt.Fprintln(stores, name, report.Kinds[name].Store)
	}
	report.CacheDigest, report.StoreDigest = hex.EncodeToString(caches.Sum(nil)), hex.EncodeToString(stores.Sum(nil))
	for _, one := range watched {
		one.seen.mutex.Lock()
		report.Events += one.seen.events
		report.Problems = append(report.Problems, one.seen.problems...)
		one.seen.mutex.Unlock()
	}
	return report
}

func (w *Watched) sums(ctx context.Context) KindSums {
	cached := []runtime.Object{}
	for _, object := range w.informer.GetStore().List() {
		cached = append(cached, object.(runtime.Object))
	}
	stored, err := w.list(ctx)
	if err != nil {
		return KindSums{Objects: len(cached), Cache: digest(cached), Store: err.Error()}
	}
	return KindSums{Objects: len(stored), Cache: digest(cached), Store: digest(stored)}
}

// differences are the objects of which the cache has another version than the store, or only one of the two has any.
func (w *Watched) differences(ctx context.Context) []string {
	versions := map[string][2]string{}
	for _, object := range w.informer.GetStore().List() {
		accessor, _ := meta.Accessor(object)
		versions[accessor.GetName()] = [2]string{accessor.GetResourceVersion(), "-"}
	}
	stored, _ := w.list(ctx)
	for _, object := range stored {
		accessor, _ := meta.Accessor(object)
		known := versions[accessor.GetName()]
		versions[accessor.GetName()] = [2]string{known[0], accessor.GetResourceVersion()}
	}
	lines := []string{}
	for name, pair := range versions {
		if pair[0] != pair[1] {
			lines = append(lines, fmt.Sprintf("%s %s is cached at %q and stored at %q", w.name, name, pair[0], pair[1]))
		}
	}
	return lines
}

// digest is of everything in the objects but their kind, which lists leave out and watches do not.
func digest(objects []runtime.Object) string {
	lines := make([]string, 0, len(objects))
	for _, object := range objects {
		text, err := json.Marshal(object)
		if err != nil {
			return err.Error()
		}
		var fields map[string]any
		if err := json.Unmarshal(text, &fields); err != nil {
			return err.Error()
		}
		delete(fields, "kind")
		delete(fields, "apiVersion")
		line, _ := json.Marshal(fields)
		lines = append(lines, string(line))
	}
	sort.Strings(lines)
	hash := sha256.New()
	for _, line := range lines {
		fmt.Fprintln(hash, line)
	}
	return hex.EncodeToString(hash.Sum(nil))
}
