// What holds the namespaces of a pod.
module slipway/airgap/pause

go 1.24.0
