// plugin-config reads a configuration of the NVIDIA device plugin from standard input with the plugin's own
// parser, and writes what it understood as JSON. It ends with 1 where the plugin would not start.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	v1 "github.com/NVIDIA/k8s-device-plugin/api/config/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err == nil {
		var config v1.Config
		if err = yaml.Unmarshal(text, &config); err == nil && config.Version != v1.Version {
			err = fmt.Errorf("unknown version: %v", config.Version)
		}
		if err == nil {
			err = json.NewEncoder(os.Stdout).Encode(config)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
