//! Goal: the renderings tell the truth about known executions. Method: worlds with one known fault are explored, and
//! the text is searched for what a reader must find there; journals made by hand cover what no small world does.

mod made;
mod worlds;
