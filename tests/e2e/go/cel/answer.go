package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/cel-go/common/types"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/admission"
	celplugin "k8s.io/apiserver/pkg/admission/plugin/cel"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authorization/authorizer"
)

// permissions is an authorizer that allows what a case lists, such as "label namespaces.example.org".
type permissions []string

func (p permissions) Authorize(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
	resource := a.GetResource()
	if a.GetAPIGroup() != "" {
		resource += "." + a.GetAPIGroup()
	}
	if slices.Contains(p, "*") || slices.Contains(p, a.GetVerb()+" "+resource) {
		return authorizer.DecisionAllow, "", nil
	}
	return authorizer.DecisionNoOpinion, "", nil
}

// answer is the line that answers a line.
func (j *judge) answer(line []byte) []byte {
	var asked Case
	answer := Answer{ID: json.RawMessage("null")}
	if err := json.Unmarshal(line, &asked); err != nil {
		answer.Refused = "no case: " + err.Error()
	} else {
		answer = j.judged(asked)
	}
	written, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	return written
}

func (j *judge) judged(asked Case) (answer Answer) {
	answer.ID = asked.ID
	defer func() {
		if problem := recover(); problem != nil {
			answer.Refused, answer.Results = fmt.Sprintf("panic: %v", problem), nil
		}
	}()
	attributes, err := attributes(asked)
	if err != nil {
		answer.Refused = err.Error()
		return answer
	}
	namespace, err := namespaceOf(asked.NamespaceObject)
	if err != nil {
		answer.Refused = err.Error()
		return answer
	}
	answer.Results = map[string]Result{}
	for _, g := range j.groups {
		j.run(g.only(asked.Only), attributes, namespace, permissions(asked.Request.Allowed), answer.Results)
	}
	return answer
}

// only is the part of a group that a case asks for.
func (g *group) only(names []string) *group {
	if names == nil {
		return g
	}
	part := &group{kind: g.kind, name: g.name}
	for i, name := range g.names {
		if slices.Contains(names, name) {
			part.names = append(part.names, name)
			part.results = append(part.results, g.results[i])
		}
	}
	return part
}

// run evaluates a group as the API server does: match conditions see no namespace and no variables.
func (j *judge) run(g *group, attributes *admission.VersionedAttributes, namespace *corev1.Namespace, allowed permissions, into map[string]Result) {
	book := newLedger()
	ctx := context.WithValue(context.Background(), ledgerKey{}, book)
	budget := int64(celconfig.RuntimeCELCostBudgetMatchConditions)
	if g.kind == kindValidation {
		ctx = meteredVariables{j.variables.CreateContext(ctx), book}
		budget = celconfig.RuntimeCELCostBudget
		namespace = celplugin.CreateNamespaceObject(namespace)
	} else {
		namespace = nil
	}
	request := celplugin.CreateAdmissionRequest(attributes.Attributes,
		metav1.GroupVersionResource(attributes.GetResource()), metav1.GroupVersionKind(attributes.VersionedKind))
	results, _, err := celplugin.NewCondition(g.results).ForInput(ctx, attributes, request,
		celplugin.OptionalVariableBindings{Authorizer: allowed}, namespace, budget)
	for i, name := range g.names {
		into[name] = resultOf(i, name, results, err, book)
	}
}

// resultOf tells an error in the words of CEL alone: the API server puts the expression before it.
func resultOf(i int, name string, results []celplugin.EvaluationResult, err error, book *ledger) Result {
	result := Result{Cost: book.costs[name]}
	switch {
	case err != nil: // the budget of the group is spent: none of its values counts
		result.Error = err.Error()
	case results[i].Error != nil:
		result.Error = results[i].Error.Error()
		if told, known := book.errors[name]; known {
			result.Error = told
		}
	default:
		value := results[i].EvalResult == types.True
		result.Value = &value
	}
	return result
}
