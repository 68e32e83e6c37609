// Package java stands in for Pulumi's Java code generator, which no Go module proxy carries whole.
// The docker-build plugin uses one type of it, to describe its Java package in the schema.
package java

// PackageInfo holds the fields that the plugin sets, under the names that the schema gives them.
type PackageInfo struct {
	BuildFiles                      string            `json:"buildFiles,omitempty"`
	GradleNexusPublishPluginVersion string            `json:"gradleNexusPublishPluginVersion,omitempty"`
	Dependencies                    map[string]string `json:"dependencies,omitempty"`
}
