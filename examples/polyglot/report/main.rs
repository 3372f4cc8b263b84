//! Prints a weather report. Readings are words such as Oslo=-3.5, or lines of standard input.

use std::io::BufRead;
use std::process::ExitCode;
use std::time::Instant;

wit_bindgen::generate!({ path: "wit", world: "report", generate_all });

use polyglot::weather::analysis::{Reading, Series};

const SAMPLE: &[&str] =
    &["Oslo=-3.5", "Bergen=4", "Bodø=1.5", "Oslo=-2", "Bergen=5.5", "Vardø=-21", "Bodø=2"];

fn parse(word: &str) -> Result<Reading, String> {
    let (station, celsius) =
        word.split_once('=').ok_or(format!("'{word}' is not STATION=CELSIUS"))?;
    let celsius = celsius.parse().map_err(|_| format!("'{celsius}' is no number"))?;
    Ok(Reading { station: station.into(), celsius })
}

/// What a call costs that does next to nothing over there.
fn time(series: &Series) {
    const CALLS: u32 = 100_000;
    let round = || {
        let start = Instant::now();
        for _ in 0..CALLS {
            std::hint::black_box(std::hint::black_box(series).length());
        }
        start.elapsed().as_nanos() as f64 / f64::from(CALLS)
    };
    let best = (0..10).map(|_| round()).fold(f64::INFINITY, f64::min);
    println!("A call from Rust into C++ (series.length, best of 10 rounds): {best:.1} ns");
}

fn run(words: &[String]) -> Result<(), String> {
    let (timed, words) = match words {
        [first, rest @ ..] if first == "--time" => (true, rest),
        _ => (false, words),
    };
    let readings: Result<Vec<Reading>, String> = match words {
        [] => SAMPLE.iter().map(|word| parse(word)).collect(),
        [word] if word == "-" => {
            let lines = std::io::stdin().lock().lines();
            lines.map(|line| parse(line.map_err(|error| error.to_string())?.trim())).collect()
        }
        _ => words.iter().map(|word| parse(word)).collect(),
    };
    let series = Series::new(&readings?);
    for section in series.report("Norway") {
        println!("{}", section.title);
        for line in section.lines {
            println!("  {line}");
        }
    }
    let warmest = series.smooth(1).into_iter().max_by(|a, b| a.celsius.total_cmp(&b.celsius));
    if let Some(Reading { station, celsius }) = warmest {
        println!("Warmest of the {} smoothed: {station}, {celsius:.2} °C", series.length());
    }
    if timed {
        time(&series);
    }
    Ok(())
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("report: {error}");
            ExitCode::FAILURE
        }
    }
}
