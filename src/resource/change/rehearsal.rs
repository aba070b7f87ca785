//! Plans without a server, for the unit tests of resources.

use super::engine::Engine;
use super::managed::Managed;
use super::plan::plan;
use super::private::Private;
use crate::resource::contract::{Existing, Plan, PlanRequest, Prior};

/// A state, with the private data of the last look and the last apply.
pub(crate) fn stored<R: Managed>(model: R::Model, observed: Option<R::Stored>, applied: Option<u64>) -> Existing<Engine<R>> {
    Existing { model, private: Private { observed, applied, ..Private::default() } }
}

/// A first plan of these operations, as a client passes it back.
pub(crate) fn first_plan<R: Managed>(planned: Option<Vec<R::Operation>>) -> Private<R> {
    Private { planned, ..Private::default() }
}

/// The operations on their way to apply.
pub(crate) fn planned<R: Managed>(private: &Private<R>) -> Option<&[R::Operation]> {
    private.planned.as_deref()
}

/// Plans from a proposal; `looked` is what a look for this plan saw.
pub(crate) fn rehearse<R: Managed>(
    config: &R::Model,
    prior: Option<&Existing<Engine<R>>>,
    proposed: &R::Model,
    first_plan: Option<&Private<R>>,
    looked: Option<&R::Observed>,
) -> Plan<R::Model, Private<R>> {
    let none = Private::default();
    let desired = R::decode(config).unwrap();
    let state = prior.map(|Existing { model, private }| {
        let arguments = R::decode_state(model, private.observed.as_ref()).unwrap().unwrap();
        Prior { model: model.clone(), arguments }
    });
    let request = PlanRequest {
        config,
        desired: desired.as_ref(),
        prior: state.as_ref(),
        prior_private: prior.map_or(&none, |prior| &prior.private),
        proposed,
        changed: prior.is_none_or(|prior| prior.model != *proposed),
        replaces: false,
        first_plan,
    };
    plan(&request, looked)
}
