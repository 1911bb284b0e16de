package main

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install" // each teaches legacyscheme the kinds of its group
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
)

var (
	decoder    = legacyscheme.Codecs.UniversalDecoder()
	interfaces = admission.NewObjectInterfacesFromScheme(legacyscheme.Scheme)
	podKind    = corev1.SchemeGroupVersion.WithKind("Pod")
)

// decoded gives an object as a handler of the API server holds it: defaulted, in the internal
// version. A kind of another group than those installed stays unstructured, as a custom resource.
func decoded(raw json.RawMessage, kind schema.GroupVersionKind) (runtime.Object, schema.GroupVersionKind, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, kind, nil
	}
	object, found, err := decoder.Decode(raw, &kind, nil)
	if runtime.IsNotRegisteredError(err) {
		custom := &unstructured.Unstructured{}
		if err := custom.UnmarshalJSON(raw); err != nil {
			return nil, kind, err
		}
		return custom, custom.GroupVersionKind(), nil
	}
	if err != nil {
		return nil, kind, err
	}
	return object, *found, nil
}

// attributes makes of a case what admission plugins get; an object without a kind is a pod.
func attributes(c Case) (*admission.VersionedAttributes, error) {
	object, kind, err := decoded(c.Object, podKind)
	if err != nil {
		return nil, fmt.Errorf("object: %w", err)
	}
	old, kind, err := decoded(c.OldObject, kind)
	if err != nil {
		return nil, fmt.Errorf("oldObject: %w", err)
	}
	name, namespace := named(c.Request, object, old)
	resource, _ := meta.UnsafeGuessKindToResource(kind)
	if c.Request.Resource != "" {
		resource.Resource = c.Request.Resource
	}
	record := admission.NewAttributesRecord(
		object, old, kind, namespace, name, resource, c.Request.SubResource,
		admission.Operation(c.Operation), options(c.Operation), c.Request.DryRun, &user.DefaultInfo{
			Name:   c.Request.UserInfo.Username,
			UID:    c.Request.UserInfo.UID,
			Groups: c.Request.UserInfo.Groups,
			Extra:  c.Request.UserInfo.Extra,
		})
	return admission.NewVersionedAttributes(record, kind, interfaces)
}

// named takes from the objects what the request leaves out.
func named(request Request, objects ...runtime.Object) (name, namespace string) {
	name, namespace = request.Name, request.Namespace
	for _, object := range objects {
		about, err := meta.Accessor(object)
		if object == nil || err != nil {
			continue
		}
		if name == "" {
			name = about.GetName()
		}
		if namespace == "" {
			namespace = about.GetNamespace()
		}
	}
	return name, namespace
}

func options(operation string) runtime.Object {
	about := func(kind string) metav1.TypeMeta {
		return metav1.TypeMeta{Kind: kind, APIVersion: "meta.k8s.io/v1"}
	}
	switch admission.Operation(operation) {
	case admission.Create:
		return &metav1.CreateOptions{TypeMeta: about("CreateOptions")}
	case admission.Update:
		return &metav1.UpdateOptions{TypeMeta: about("UpdateOptions")}
	case admission.Delete:
		return &metav1.DeleteOptions{TypeMeta: about("DeleteOptions")}
	}
	return nil
}

func namespaceOf(raw json.RawMessage) (*corev1.Namespace, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	namespace := &corev1.Namespace{}
	if err := json.Unmarshal(raw, namespace); err != nil {
		return nil, fmt.Errorf("namespaceObject: %w", err)
	}
	return namespace, nil
}
