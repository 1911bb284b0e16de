// Serves the rename of a GPU resource as a Go engineer writes it: net/http and k8s.io/api types.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	admission "k8s.io/api/admission/v1"
	core "k8s.io/api/core/v1"
)

const from, to = "nvidia.com/gpu", "nvidia.com/mig-1g.5gb"

type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// patch renames the resource in the limits and requests of each container.
func patch(pod *core.Pod) []operation {
	var made []operation
	for index, container := range pod.Spec.Containers {
		lists := map[string]core.ResourceList{
			"limits": container.Resources.Limits, "requests": container.Resources.Requests,
		}
		for name, list := range lists {
			if amount, found := list[from]; found {
				path := fmt.Sprintf("/spec/containers/%d/resources/%s/", index, name)
				made = append(made,
					operation{Op: "remove", Path: path + strings.ReplaceAll(from, "/", "~1")},
					operation{Op: "add", Path: path + strings.ReplaceAll(to, "/", "~1"), Value: amount})
			}
		}
	}
	return made
}

func mutate(response http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(io.LimitReader(request.Body, 7<<20))
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	var review admission.AdmissionReview
	if err := json.Unmarshal(body, &review); err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	var pod core.Pod
	if err := json.Unmarshal(review.Request.Object.Raw, &pod); err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	answer := &admission.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	if made := patch(&pod); made != nil {
		kind := admission.PatchTypeJSONPatch
		answer.PatchType = &kind
		answer.Patch, _ = json.Marshal(made)
	}
	review.Request, review.Response = nil, answer
	response.Header().Set("Content-Type", "application/json")
	json.NewEncoder(response).Encode(review)
}

func main() {
	http.HandleFunc("/mutate", mutate)
	log.Fatal(http.ListenAndServeTLS(os.Args[1], os.Args[2]+"/tls.crt", os.Args[2]+"/tls.key", nil))
}
