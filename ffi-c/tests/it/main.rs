//! What C and C++ programs rely on: the header, the symbols, and programs that use both.

mod conformance;
mod header;
mod programs;
mod symbols;
mod toolchain;
