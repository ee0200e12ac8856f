//! The sum of all models that ran before: the last line of `make loom`.

use super::explore::totals;

#[test]
fn models_ran_and_their_sum_is_printed() {
    let (models, twins, executions) = totals();
    let line = format!("{models} models hold, {twins} twins fail; {executions} executions\n");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
}
