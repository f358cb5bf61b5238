//! Tests of the watches together with what is made of them.

mod perturbed;
