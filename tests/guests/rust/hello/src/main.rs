//! The smallest program that rustc makes: for the demo and for start-up figures.

fn main() {
    println!("Hello from a component");
}
