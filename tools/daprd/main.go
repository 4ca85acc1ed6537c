// Command daprd is Dapr's own, with one more component: its release has the SQLite name resolver, by which apps of one
// machine find each other without multicast, and a build of the stable components alone has not.
package main

import (
	"github.com/dapr/components-contrib/nameresolution/sqlite"
	"github.com/dapr/dapr/cmd/daprd/app"
	"github.com/dapr/dapr/pkg/components/nameresolution"

	_ "github.com/dapr/dapr/cmd/daprd/components"
)

func main() {
	nameresolution.DefaultRegistry.RegisterComponent(sqlite.NewResolver, "sqlite")
	app.Run()
}
