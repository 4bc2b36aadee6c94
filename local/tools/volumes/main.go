// Command volumes provisions persistent volumes as directories of this machine: what a claim asks for is a directory
// of its own below -directory, and gone with the claim unless its class says to retain it.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// directories makes one directory for each volume, named like it.
type directories struct {
	root string
	node string
}

func (d directories) Provision(_ context.Context, options controller.ProvisionOptions) (*v1.PersistentVolume, controller.ProvisioningState, error) {
	path := filepath.Join(d.root, options.PVName)
	// The kubelet gives it to the pod's fsGroup.
	if err := os.MkdirAll(path, 0o750); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	onNode := v1.NodeSelectorTerm{MatchExpressions: []v1.NodeSelectorRequirement{{
		Key: v1.LabelHostname, Operator: v1.NodeSelectorOpIn, Values: []string{d.node},
	}}}
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: options.PVName},
		Spec: v1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			AccessModes:                   options.PVC.Spec.AccessModes,
			Capacity:                      options.PVC.Spec.Resources.Requests,
			PersistentVolumeSource:        v1.PersistentVolumeSource{Local: &v1.LocalVolumeSource{Path: path}},
			NodeAffinity: &v1.VolumeNodeAffinity{
				Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{onNode}},
			},
		},
	}, controller.ProvisioningFinished, nil
}

func (d directories) Delete(_ context.Context, volume *v1.PersistentVolume) error {
	// By the volume's name, not by the path in the object, which others may write.
	return os.RemoveAll(filepath.Join(d.root, filepath.Base(volume.Name)))
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "who to talk to the API server as")
	root := flag.String("directory", "", "where the volumes are")
	node := flag.String("node", "", "name of this machine's node")
	name := flag.String("provisioner", "", "name of the provisioner in its StorageClass")
	metricsPort := flag.Int("metrics-port", 0, "port of /metrics on 127.0.0.1")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	controller.NewProvisionController(
		ctx, kubernetes.NewForConfigOrDie(config), *name, directories{root: *root, node: *node},
		controller.LeaderElection(false), controller.Threadiness(1),
		controller.MetricsAddress("127.0.0.1"), controller.MetricsPort(int32(*metricsPort)),
	).Run(ctx)
}
