//! `status.loadBalancer` of Services and Ingresses.

use crate::{partial::partial, text::JsonText};

partial! {
    /// The status of an object that a load balancer serves.
    pub struct PartialBalancedStatus<'json> {
        pub load_balancer: PartialLoadBalancerStatus<'json>,
    }

    /// `status.loadBalancer`.
    pub struct PartialLoadBalancerStatus<'json> {
        pub ingress: Vec<PartialLoadBalancerIngress<'json>>,
    }

    /// An address at which the load balancer listens.
    pub struct PartialLoadBalancerIngress<'json> {
        pub ip: JsonText<'json>,
        pub hostname: JsonText<'json>,
        pub ip_mode: JsonText<'json>,
        pub ports: Vec<PartialPortStatus<'json>>,
    }

    /// What is wrong with one of its ports.
    pub struct PartialPortStatus<'json> {
        pub port: Option<i64>,
        pub error: JsonText<'json>,
    }
}
