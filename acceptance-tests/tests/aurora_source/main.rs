//! `clickpipes_aurora_source` through real terraform on the simulator, with a real Postgres behind the cluster.

mod answers;
mod any_fault;
mod beside_hashicorp_aws;
mod cancel;
mod change_of_mode;
mod destroy;
mod drift;
mod every_call;
mod external;
mod half_done;
mod iam_authentication;
mod import;
mod in_place;
mod names;
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
mod where_it_was;
