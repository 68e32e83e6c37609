// Package codegen stands in for Pulumi's .NET code generator, which no Go module proxy carries whole.
// The docker-build plugin uses one type of it, to describe its .NET package in the schema.
package codegen

// CSharpPackageInfo holds the fields that the plugin sets, under the names that the schema gives them.
type CSharpPackageInfo struct {
	PackageReferences    map[string]string `json:"packageReferences,omitempty"`
	RespectSchemaVersion bool              `json:"respectSchemaVersion,omitempty"`
}
