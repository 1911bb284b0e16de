package main

import "encoding/json"

const (
	kindValidation     = "validation"
	kindMatchCondition = "matchCondition"
)

// Rules are the expressions of one policy, or of any number of webhooks.
type Rules struct {
	Variables   []Expression `json:"variables"`
	Expressions []Expression `json:"expressions"`
}

// Expression is one of them. Those of one kind and one group share a budget and are judged in
// order, as the validations of a policy and the match conditions of a webhook are.
type Expression struct {
	Name       string `json:"name"`
	Expression string `json:"expression"`
	Kind       string `json:"kind"`  // validation unless said otherwise
	Group      string `json:"group"` // the name of the webhook; may be empty
}

// Compiled says what is wrong with the rules, and what the API server allows them to cost.
type Compiled struct {
	Compiled      bool         `json:"compiled"`
	Errors        []NamedError `json:"errors,omitempty"`
	Expressions   []Readable   `json:"expressions"`
	Budgets       Budgets      `json:"budgets"`
	Compatibility string       `json:"compatibility"` // of the environment for new expressions
}

// NamedError is why an expression does not compile when the API server finds it stored.
type NamedError struct {
	Name  string `json:"name"`
	Error string `json:"error"`
}

// Readable says in which of the two environments an expression or a variable compiles.
type Readable struct {
	Name     string `json:"name"`
	Stored   bool   `json:"stored"`
	New      bool   `json:"new"` // accepted when the policy or webhook is written
	NewError string `json:"newError,omitempty"`
}

// Budgets are the constants of k8s.io/apiserver/pkg/apis/cel.
type Budgets struct {
	PerCall         int64 `json:"perCall"`
	Validations     int64 `json:"validations"`
	MatchConditions int64 `json:"matchConditions"`
}

// Case is one request to the API server.
type Case struct {
	ID              json.RawMessage `json:"id"`
	Operation       string          `json:"operation"`
	Object          json.RawMessage `json:"object"`
	OldObject       json.RawMessage `json:"oldObject"`
	NamespaceObject json.RawMessage `json:"namespaceObject"`
	Request         Request         `json:"request"`
	Only            []string        `json:"only"` // judge these alone; all if it is absent
}

// Request is what the objects do not tell.
type Request struct {
	Name        string   `json:"name"`
	Namespace   string   `json:"namespace"`
	Resource    string   `json:"resource"`
	SubResource string   `json:"subResource"`
	DryRun      bool     `json:"dryRun"`
	UserInfo    UserInfo `json:"userInfo"`
	Allowed     []string `json:"allowed"` // what authorizer allows: "label namespaces.gpu-sharing.io"
}

// UserInfo is who asks.
type UserInfo struct {
	Username string              `json:"username"`
	UID      string              `json:"uid"`
	Groups   []string            `json:"groups"`
	Extra    map[string][]string `json:"extra"`
}

// Answer is the judgement of one case. Refused says why the API server would not even decode it.
type Answer struct {
	ID      json.RawMessage   `json:"id"`
	Refused string            `json:"refused,omitempty"`
	Results map[string]Result `json:"results,omitempty"`
}

// Result is one expression's: a value or an error, and the runtime cost that was counted.
type Result struct {
	Value *bool  `json:"value,omitempty"`
	Error string `json:"error,omitempty"`
	Cost  uint64 `json:"cost"`
}
