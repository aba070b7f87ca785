//! What stands around a publication: who owns it, who may alter it, what its scope leaves out, and who holds its tables.

mod generated;
mod hostile;
mod locks;
mod rig;
mod rights;
mod scale;
mod warnings;
