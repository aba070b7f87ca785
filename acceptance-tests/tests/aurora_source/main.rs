//! `clickpipes_aurora_source` through real terraform on the simulator, with a real Postgres behind the cluster.

mod answers;
mod beside_hashicorp_aws;
mod cancel;
mod destroy;
mod drift;
mod every_call;
mod import;
mod one_run;
mod outages;
mod ownership;
mod provider;
mod reboot;
mod refusals;
mod resume;
mod rig;
mod tampered;
mod ten;
mod weather;
