package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
)

// World is what every worker works with.
type World struct {
	clients   *Clients
	namespace string
	model     *model
}

// model is what the server acknowledged: no two writers share an object, so it is known what each must hold.
type model struct {
	mutex     sync.Mutex
	values    map[string]string
	tokens    map[string]map[string]bool
	writes    int
	retries   int
	conflicts int
	problems  []string
}

func newModel() *model {
	return &model{values: map[string]string{}, tokens: map[string]map[string]bool{}}
}

// acknowledged says what the object holds now; "" is for one that is gone.
func (m *model) acknowledged(key, value string) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.writes++
	if value == "" {
		delete(m.values, key)
	} else {
		m.values[key] = value
	}
}

func (m *model) holds(key string) bool {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	_, there := m.values[key]
	return there
}

func (m *model) retried(err error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if apierrors.IsConflict(err) {
		m.conflicts++
	} else {
		m.retries++
	}
}

func (m *model) failed(what string, err error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.problems = append(m.problems, what+": "+err.Error())
}

func (m *model) counts() (int, int, int) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.writes, m.retries, m.conflicts
}

// judge compares what was acknowledged with what is there.
func (m *model) judge(ctx context.Context, world *World, report *Report) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	report.Problems = append(report.Problems, m.problems...)
	stored, err := storedValues(ctx, world)
	if err != nil {
		report.Problems = append(report.Problems, err.Error())
		return
	}
	if !maps.Equal(stored, m.values) {
		for key, want := range m.values {
			if stored[key] != want {
				report.Problems = append(report.Problems, fmt.Sprintf("%s was acknowledged as %q and is %q", key, want, stored[key]))
			}
		}
		for key := range stored {
			if _, wanted := m.values[key]; !wanted {
				report.Problems = append(report.Problems, fmt.Sprintf("%s was acknowledged as gone and is there", key))
			}
		}
	}
	for service, wanted := range m.tokens {
		found, err := world.clients.typed.CoreV1().Services(world.namespace).Get(ctx, service, metav1.GetOptions{})
		if err != nil {
			report.Problems = append(report.Problems, err.Error())
			continue
		}
		there := map[string]bool{}
		for _, condition := range found.Status.Conditions {
			there[condition.Type] = true
		}
		for token := range wanted {
			report.StatusSeen++
			if !there[token] {
				report.Problems = append(report.Problems, fmt.Sprintf("status of %s lost %s", service, token))
			}
		}
	}
}

func storedValues(ctx context.Context, world *World) (map[string]string, error) {
	core, all := world.clients.typed.CoreV1(), metav1.ListOptions{LabelSelector: "written=here"}
	values := map[string]string{}
	maps, err := core.ConfigMaps(world.namespace).List(ctx, all)
	if err != nil {
		return nil, err
	}
	for _, item := range maps.Items {
		values["configmap/"+item.Name] = item.Data["value"]
	}
	secrets, err := core.Secrets(world.namespace).List(ctx, all)
	if err != nil {
		return nil, err
	}
	for _, item := range secrets.Items {
		values["secret/"+item.Name] = string(item.Data["value"])
	}
	deployments, err := world.clients.typed.AppsV1().Deployments(world.namespace).List(ctx, all)
	if err != nil {
		return nil, err
	}
	for _, item := range deployments.Items {
		values["deployment/"+item.Name] = item.Annotations["value"]
	}
	custom, err := world.clients.dynamic.Resource(widgets).Namespace(world.namespace).List(ctx, all)
	if err != nil {
		return nil, err
	}
	for _, item := range custom.Items {
		value, _, _ := unstructured.NestedInt64(item.Object, "spec", "value")
		values["widget/"+item.GetName()] = fmt.Sprint(value)
	}
	return values, nil
}

// write creates, changes and deletes objects of this writer's own, at a rate, until it is told to stop.
func write(ctx context.Context, world *World, index int, rate float64) {
	ticker := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer ticker.Stop()
	kinds := []string{"configmap", "configmap", "secret", "widget", "deployment"}
	for serial := 1; ; serial++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		key := fmt.Sprintf("%s/w%d-%d", kinds[rand.Intn(len(kinds))], index, rand.Intn(25))
		kind, name, _ := strings.Cut(key, "/")
		gone := world.model.holds(key) && rand.Intn(6) == 0
		var err error
		if gone {
			err = stubborn(ctx, world, func(ctx context.Context) error { return remove(ctx, world, kind, name) })
			// An attempt whose answer was lost has done it.
			if apierrors.IsNotFound(err) {
				err = nil
			}
		} else {
			err = stubborn(ctx, world, func(ctx context.Context) error { return put(ctx, world, kind, name, int64(serial)) })
		}
		switch {
		case err != nil:
			world.model.failed(key, err)
		case gone:
			world.model.acknowledged(key, "")
		default:
			world.model.acknowledged(key, fmt.Sprint(serial))
		}
	}
}

var labels = map[string]string{"written": "here"}

// put updates what is there, by turns with an update, a merge patch and a server-side apply, and creates what is not.
func put(ctx context.Context, world *World, kind, name string, value int64) error {
	meta := metav1.ObjectMeta{Name: name, Namespace: world.namespace, Labels: labels}
	text := fmt.Sprint(value)
	switch kind {
	case "configmap":
		client := world.clients.typed.CoreV1().ConfigMaps(world.namespace)
		found, err := client.Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			_, err = client.Create(ctx, &corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"value": text}}, metav1.CreateOptions{})
			return raced(err)
		}
		if err != nil {
			return err
		}
		if value%2 == 0 {
			patch, _ := json.Marshal(map[string]any{"data": map[string]any{"value": text}})
			_, err = client.Patch(ctx, name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
			return err
		}
		found.Data["value"] = text
		_, err = client.Update(ctx, found, metav1.UpdateOptions{})
		return err
	case "secret":
		client := world.clients.typed.CoreV1().Secrets(world.namespace)
		_, err := client.Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			_, err = client.Create(ctx, &corev1.Secret{ObjectMeta: meta, StringData: map[string]string{"value": text}}, metav1.CreateOptions{})
			return raced(err)
		}
		if err != nil {
			return err
		}
		patch, _ := json.Marshal(map[string]any{"stringData": map[string]any{"value": text}})
		_, err = client.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
		return err
	case "deployment":
		client := world.clients.typed.AppsV1().Deployments(world.namespace)
		found, err := client.Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			meta.Annotations = map[string]string{"value": text}
			_, err = client.Create(ctx, deployment(meta), metav1.CreateOptions{})
			return raced(err)
		}
		if err != nil {
			return err
		}
		found.Annotations["value"] = text
		_, err = client.Update(ctx, found, metav1.UpdateOptions{})
		return err
	default:
		object := widget(world.namespace, name, value)
		object.SetLabels(labels)
		client := world.clients.dynamic.Resource(widgets).Namespace(world.namespace)
		_, err := client.Apply(ctx, name, object, metav1.ApplyOptions{FieldManager: "go-clients", Force: true})
		return err
	}
}

// raced turns "already exists" into a reason to look again: the answer of an earlier attempt may have been lost.
func raced(err error) error {
	if apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("created meanwhile: %s", err.Error())
	}
	return err
}

// deployment asks for no pods: its controller writes its status all the same, so that others write here too.
func deployment(meta metav1.ObjectMeta) *appsv1.Deployment {
	none, app := int32(0), map[string]string{"app": meta.Name}
	return &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{
		Replicas: &none,
		Selector: &metav1.LabelSelector{MatchLabels: app},
		Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: app},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "none", Image: "none"}}},
		},
	}}
}

func remove(ctx context.Context, world *World, kind, name string) error {
	background := metav1.DeletePropagationBackground
	options := metav1.DeleteOptions{PropagationPolicy: &background}
	switch kind {
	case "configmap":
		return world.clients.typed.CoreV1().ConfigMaps(world.namespace).Delete(ctx, name, options)
	case "secret":
		return world.clients.typed.CoreV1().Secrets(world.namespace).Delete(ctx, name, options)
	case "deployment":
		return world.clients.typed.AppsV1().Deployments(world.namespace).Delete(ctx, name, options)
	default:
		return world.clients.dynamic.Resource(widgets).Namespace(world.namespace).Delete(ctx, name, options)
	}
}

const services = 3

// updateStatus adds conditions to services that all workers share, so that they meet in conflicts; none may be lost.
func updateStatus(ctx context.Context, world *World, worker int) {
	client := world.clients.typed.CoreV1().Services(world.namespace)
	for serial := 0; serial < 40 && ctx.Err() == nil; serial++ {
		name, token := fmt.Sprintf("shared-%d", serial%services), fmt.Sprintf("Worker%dToken%d", worker, serial)
		err := stubborn(ctx, world, func(ctx context.Context) error {
			return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
				found, err := client.Get(ctx, name, metav1.GetOptions{})
				if apierrors.IsNotFound(err) {
					ports := []corev1.ServicePort{{Port: 80}}
					found, err = client.Create(ctx, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ServiceSpec{Ports: ports}}, metav1.CreateOptions{})
					err = raced(err)
				}
				if err != nil {
					return err
				}
				for _, condition := range found.Status.Conditions {
					if condition.Type == token {
						return nil
					}
				}
				found.Status.Conditions = append(found.Status.Conditions, metav1.Condition{
					Type: token, Status: metav1.ConditionTrue, Reason: "Added", LastTransitionTime: metav1.Now(),
				})
				_, err = client.UpdateStatus(ctx, found, metav1.UpdateOptions{})
				if apierrors.IsConflict(err) {
					world.model.retried(err)
				}
				return err
			})
		})
		if err != nil {
			world.model.failed("status of "+name, err)
			return
		}
		world.model.mutex.Lock()
		if world.model.tokens[name] == nil {
			world.model.tokens[name] = map[string]bool{}
		}
		world.model.tokens[name][token] = true
		world.model.mutex.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
	}
}
