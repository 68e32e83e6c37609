// Kinds of objects that others define, as files of their modules; nothing is built. See tools/airgap/cluster/extras.py.
// Not for `go mod tidy`, which sees no import here: go mod download MODULE@VERSION writes go.sum.
module slipway/airgap/kinds

go 1.25.0

require (
	github.com/cert-manager/cert-manager v1.19.1
	github.com/cloudnative-pg/cloudnative-pg v1.27.1
	sigs.k8s.io/gateway-api v1.4.0
)
