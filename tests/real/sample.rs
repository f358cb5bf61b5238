//! What is deployed for a test, and taken away after it.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use svcscope_cluster::KubeconfigSource;

use svcscope_testkit::cluster::{EngineDriver, KubectlRunner, PATIENCE};

/// A namespace with a web Deployment and Services of every type before it.
pub struct WebSampleNamespace {
    pub kubeconfig: PathBuf,
    pub namespace: String,
}

impl WebSampleNamespace {
    /// Deploys it and waits until its pods are ready.
    pub fn deploy(kubeconfig: &Path, test: &str) -> Self {
        let sample = Self {
            kubeconfig: kubeconfig.to_owned(),
            namespace: format!("svcscope-{test}-{}", std::process::id()),
        };
        let namespace = &sample.namespace;
        let kubectl = sample.kubectl();
        kubectl.run(&["create", "namespace", namespace]);
        kubectl.apply(&MANIFEST.replace("NAMESPACE", namespace));
        for workload in ["deployment/web", "statefulset/gated"] {
            kubectl.run(&[
                "-n",
                namespace,
                "rollout",
                "status",
                workload,
                "--timeout=90s",
            ]);
        }
        sample.wait_for_endpoints();
        sample
    }

    /// The endpoints controller follows the pods a moment later than their readiness.
    fn wait_for_endpoints(&self) {
        let wanted = [
            ("web", 2),
            ("web-node", 2),
            ("web-lb", 2),
            ("both", 2),
            ("gated", 1),
        ];
        let started = Instant::now();
        for (name, pods) in wanted {
            let jsonpath = "jsonpath={.subsets[*].addresses[*].ip}";
            while self
                .run(&["get", "endpoints", name, "-o", jsonpath])
                .split_whitespace()
                .count()
                < pods
            {
                assert!(started.elapsed() < PATIENCE, "{name} got no endpoints");
            }
        }
    }

    pub fn kubectl(&self) -> KubectlRunner<'_> {
        KubectlRunner(&self.kubeconfig)
    }

    /// kubectl in the sample's namespace.
    pub fn run(&self, args: &[&str]) -> String {
        self.kubectl()
            .run(&[&["-n", &self.namespace], args].concat())
    }

    /// An engine that looks at the sample.
    pub fn engine(&self) -> EngineDriver {
        EngineDriver::connected(
            KubeconfigSource::File(self.kubeconfig.clone()),
            &self.namespace,
        )
    }

    /// The built program's flags that lead to the sample.
    pub fn flags(&self) -> [&str; 4] {
        [
            "--kubeconfig",
            self.kubeconfig.to_str().expect("a UTF-8 path"),
            "-n",
            &self.namespace,
        ]
    }
}

impl Drop for WebSampleNamespace {
    fn drop(&mut self) {
        // Not waited for: the cluster goes on without us.
        std::process::Command::new("kubectl")
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .args(["delete", "namespace", &self.namespace, "--wait=false"])
            .output()
            .ok();
    }
}

const MANIFEST: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NAMESPACE}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: httpd
        image: "testkube/httpd:1"
        imagePullPolicy: Never
        ports:
        - {name: http, containerPort: 8080}
        - {name: echo, containerPort: 9000}
        readinessProbe: {httpGet: {port: 8080, path: /ready}, periodSeconds: 1}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: gated, namespace: NAMESPACE}
spec:
  serviceName: gated
  replicas: 1
  selector: {matchLabels: {app: gated}}
  template:
    metadata: {labels: {app: gated}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: tool
        image: "testkube/toolbox:1"
        imagePullPolicy: Never
        command: [sh, -c, "echo yes > /tmp/ready; sleep 3600"]
        readinessProbe:
          exec: {command: [sh, -c, 'read word < /tmp/ready; [ "$word" = yes ]']}
          periodSeconds: 1
          failureThreshold: 1
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: NAMESPACE}
spec:
  selector: {app: web}
  ports:
  - {name: http, port: 80, targetPort: http}
  - {name: echo, port: 7, targetPort: 9000}
---
apiVersion: v1
kind: Service
metadata: {name: web-node, namespace: NAMESPACE}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: web-lb, namespace: NAMESPACE}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 443, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: gated, namespace: NAMESPACE}
spec: {clusterIP: None, selector: {app: gated}, ports: [{port: 9000}]}
---
apiVersion: v1
kind: Service
metadata: {name: elsewhere, namespace: NAMESPACE}
spec: {type: ExternalName, externalName: elsewhere.example.com}
---
apiVersion: v1
kind: Service
metadata: {name: wrong-name, namespace: NAMESPACE}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: no-such-port}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody, namespace: NAMESPACE}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: by-hand, namespace: NAMESPACE}
spec: {ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: by-hand, namespace: NAMESPACE}
subsets: [{addresses: [{ip: 192.0.2.7}], ports: [{port: 8080}]}]
---
apiVersion: v1
kind: Service
metadata: {name: both, namespace: NAMESPACE}
spec:
  selector: {app: web}
  ports:
  - {name: tcp, port: 53, targetPort: 8080, protocol: TCP}
  - {name: udp, port: 53, targetPort: 8080, protocol: UDP}
"#;
