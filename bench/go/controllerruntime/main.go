// Serves the rename of a GPU resource by controller-runtime, as its documentation shows.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"strconv"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/go-logr/logr"
)

const from, to = core.ResourceName("nvidia.com/gpu"), core.ResourceName("nvidia.com/mig-1g.5gb")

type renamer struct{ decoder admission.Decoder }

// Handle renames the resource in the limits and requests of each container.
func (r *renamer) Handle(_ context.Context, request admission.Request) admission.Response {
	pod := &core.Pod{}
	if err := r.decoder.Decode(request, pod); err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	for index := range pod.Spec.Containers {
		resources := &pod.Spec.Containers[index].Resources
		for _, list := range []core.ResourceList{resources.Limits, resources.Requests} {
			if amount, found := list[from]; found {
				delete(list, from)
				list[to] = amount
			}
		}
	}
	after, err := json.Marshal(pod)
	if err != nil {
		return admission.Errored(http.StatusInternalServerError, err)
	}
	return admission.PatchResponseFromRaw(request.Object.Raw, after)
}

func main() {
	ctrl.SetLogger(logr.Discard())
	port, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		log.Fatal(err)
	}
	server := webhook.NewServer(webhook.Options{Host: "127.0.0.1", Port: port, CertDir: os.Args[2]})
	server.Register("/mutate", &webhook.Admission{Handler: &renamer{admission.NewDecoder(scheme)}})
	log.Fatal(server.Start(ctrl.SetupSignalHandler()))
}
