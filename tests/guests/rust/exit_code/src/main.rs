//! Exits with the code that its first argument says: the only way to leave with another code than 0
//! and 1 is a function that WASI 0.2 has unstable, and that std therefore does not use.

wit_bindgen::generate!({
    inline: "
        package wasi:cli@0.2.6;
        interface exit {
            exit: func(status: result);
            @unstable(feature = cli-exit-with-code)
            exit-with-code: func(status-code: u8);
        }
        world exact {
            import exit;
        }",
    features: ["cli-exit-with-code"],
});

fn main() {
    let code = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(42);
    println!("exiting with {code}");
    wasi::cli::exit::exit_with_code(code);
}
