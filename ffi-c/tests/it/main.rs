//! What C and C++ programs rely on: the header, the symbols, and programs that use both, also where
//! they are installed.

mod conformance;
mod guides;
mod header;
mod install;
mod layout;
mod misuse;
mod programs;
mod symbols;
mod toolchain;
