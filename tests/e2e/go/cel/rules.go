package main

import (
	"fmt"
	"slices"

	"github.com/google/cel-go/cel"

	celplugin "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
)

var declarations = celplugin.OptionalVariableDeclarations{HasAuthorizer: true}

// validation is what policy/validating, too heavy to build here, calls ValidationCondition.
type validation string

func (v validation) GetExpression() string    { return string(v) }
func (v validation) ReturnTypes() []*cel.Type { return []*cel.Type{cel.BoolType} }

// variable is what policy/validating calls Variable.
type variable Expression

func (v *variable) GetName() string          { return v.Name }
func (v *variable) GetExpression() string    { return v.Expression }
func (v *variable) ReturnTypes() []*cel.Type { return []*cel.Type{cel.AnyType, cel.DynType} }

// compilers are those of one environment: match conditions are read without variables.
type compilers struct {
	mode        environment.Type
	conditions  celplugin.Compiler
	validations *celplugin.CompositedCompiler
}

func newCompilers(mode environment.Type) (*compilers, error) {
	base := environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion())
	composited, err := celplugin.NewCompositedCompiler(base)
	if err != nil {
		return nil, err
	}
	return &compilers{mode, celplugin.NewCompiler(base), composited}, nil
}

func (c *compilers) variable(v Expression) celplugin.CompilationResult {
	accessor := variable(v)
	return c.validations.CompileAndStoreVariable(&accessor, declarations, c.mode)
}

func (c *compilers) expression(e Expression) celplugin.CompilationResult {
	if e.Kind == kindMatchCondition {
		condition := &matchconditions.MatchCondition{Name: e.Name, Expression: e.Expression}
		return c.conditions.CompileCELExpression(condition, declarations, c.mode)
	}
	return c.validations.CompileCELExpression(validation(e.Expression), declarations, c.mode)
}

// group is what shares a budget; names and results are parallel.
type group struct {
	kind    string
	name    string
	names   []string
	results []celplugin.CompilationResult
}

// judge holds the rules, compiled as the API server compiles what is stored.
type judge struct {
	compiled  Compiled
	groups    []*group
	variables *celplugin.CompositedCompiler
}

func newJudge(rules Rules) (*judge, error) {
	stored, err := newCompilers(environment.StoredExpressions)
	if err != nil {
		return nil, err
	}
	written, err := newCompilers(environment.NewExpressions)
	if err != nil {
		return nil, err
	}
	made := &judge{variables: stored.validations, compiled: nothingCompiled()}
	for _, v := range rules.Variables {
		made.note(v.Name, stored.variable(v), written.variable(v))
	}
	for _, e := range rules.Expressions {
		if e.Kind == "" {
			e.Kind = kindValidation
		}
		if err := made.known(e); err != nil {
			return nil, err
		}
		made.add(e, made.note(e.Name, stored.expression(e), written.expression(e)))
	}
	made.compiled.Compiled = len(made.compiled.Errors) == 0
	return made, nil
}

func nothingCompiled() Compiled {
	return Compiled{
		Expressions: []Readable{},
		Budgets: Budgets{
			PerCall:         celconfig.PerCallLimit,
			Validations:     celconfig.RuntimeCELCostBudget,
			MatchConditions: celconfig.RuntimeCELCostBudgetMatchConditions,
		},
		Compatibility: environment.DefaultCompatibilityVersion().String(),
	}
}

// known refuses what would be answered wrongly: a kind of no meaning, a name that is taken.
func (j *judge) known(e Expression) error {
	if e.Kind != kindValidation && e.Kind != kindMatchCondition {
		return fmt.Errorf("expression %s: unknown kind %s", e.Name, e.Kind)
	}
	for _, g := range j.groups {
		if slices.Contains(g.names, e.Name) {
			return fmt.Errorf("two expressions are named %s", e.Name)
		}
	}
	return nil
}

// note writes down how an expression compiled, and gives the stored one with a meter on it.
func (j *judge) note(name string, stored, written celplugin.CompilationResult) celplugin.CompilationResult {
	readable := Readable{Name: name, Stored: stored.Error == nil, New: written.Error == nil}
	if stored.Error != nil {
		j.compiled.Errors = append(j.compiled.Errors, NamedError{name, stored.Error.Error()})
	} else {
		stored.Program = metered{stored.Program, name}
	}
	if written.Error != nil {
		readable.NewError = written.Error.Error()
	}
	j.compiled.Expressions = append(j.compiled.Expressions, readable)
	return stored
}

func (j *judge) add(e Expression, result celplugin.CompilationResult) {
	var home *group
	for _, g := range j.groups {
		if g.kind == e.Kind && g.name == e.Group {
			home = g
		}
	}
	if home == nil {
		home = &group{kind: e.Kind, name: e.Group}
		j.groups = append(j.groups, home)
	}
	home.names = append(home.names, e.Name)
	home.results = append(home.results, result)
}
