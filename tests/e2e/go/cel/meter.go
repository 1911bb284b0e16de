package main

import (
	"context"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types/ref"

	celplugin "k8s.io/apiserver/pkg/admission/plugin/cel"
)

type ledgerKey struct{}

// ledger notes what evaluations cost, in the order in which the API server runs them.
type ledger struct {
	costs  map[string]uint64
	errors map[string]string
	latest string
}

func newLedger() *ledger {
	return &ledger{costs: map[string]uint64{}, errors: map[string]string{}}
}

// metered is a program whose cost is noted; its results are those of the program.
type metered struct {
	cel.Program

	name string
}

func (m metered) ContextEval(ctx context.Context, input any) (ref.Val, *cel.EvalDetails, error) {
	value, details, err := m.Program.ContextEval(ctx, input)
	book := ctx.Value(ledgerKey{}).(*ledger)
	book.latest = m.name
	if details != nil && details.ActualCost() != nil {
		book.costs[m.name] += *details.ActualCost()
	}
	if err != nil {
		book.errors[m.name] = err.Error()
	}
	return value, details, err
}

// meteredVariables notes the cost of variables at the expression that was the first to read them.
type meteredVariables struct {
	celplugin.CompositionContext

	book *ledger
}

func (m meteredVariables) GetAndResetCost() int64 {
	cost := m.CompositionContext.GetAndResetCost()
	m.book.costs[m.book.latest] += uint64(cost)
	return cost
}
