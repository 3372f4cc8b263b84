//! Talks by TCP and UDP with `std::net`, as programs do that know nothing of components.

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::{env, process, str};

const USAGE: &str = "usage: sockets_net COMMAND [ARG...]
  serve ADDRESS N      print `listening PORT`; send N connections back what they send
  poll-serve ADDRESS   the same for one connection, without blocking in accept
  ask ADDRESS TEXT     connect, send TEXT, print what comes back until the end
  stream ADDRESS MIB   send MIB MiB in pieces and check that they come back
  idle ADDRESS         connect, print `connected`, wait for the end of the stream
  ends ADDRESS         connect; print both addresses and options
  udp-serve ADDRESS N  print `listening PORT`; send N datagrams back
  udp-ask ADDRESS TEXT connect, send TEXT, print the answer
  udp-send ADDRESS TEXT the same without connecting; print who answered, too
  resolve NAME         print the addresses, one a line";

type Done = Result<(), Box<dyn Error>>;

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["serve", address, count] => serve(address, count.parse().unwrap()),
        ["poll-serve", address] => poll_serve(address),
        ["ask", address, text] => ask(address, text),
        ["stream", address, mib] => stream(address, mib.parse().unwrap()),
        ["idle", address] => idle(address),
        ["ends", address] => ends(address),
        ["udp-serve", address, count] => udp_serve(address, count.parse().unwrap()),
        ["udp-ask", address, text] => udp_ask(address, text),
        ["udp-send", address, text] => udp_send(address, text),
        ["resolve", name] => resolve(name),
        _ => Err(USAGE.into()),
    };
    if let Err(error) = done {
        match error.downcast_ref::<io::Error>() {
            Some(error) => println!("{:?}", error.kind()),
            None => println!("{error}"),
        }
        process::exit(1);
    }
}

fn say_where(address: SocketAddr) -> Done {
    println!("listening {}", address.port());
    Ok(io::stdout().flush()?)
}

fn echo(mut connection: TcpStream) -> io::Result<u64> {
    let mut total = 0;
    let mut buffer = [0; 65536];
    loop {
        let count = connection.read(&mut buffer)?;
        if count == 0 {
            return Ok(total);
        }
        connection.write_all(&buffer[..count])?;
        total += count as u64;
    }
}

fn serve(address: &str, count: usize) -> Done {
    let listener = TcpListener::bind(address)?;
    say_where(listener.local_addr()?)?;
    for _ in 0..count {
        let (connection, peer) = listener.accept()?;
        assert_eq!(connection.peer_addr()?, peer);
        println!("{} bytes", echo(connection)?);
    }
    Ok(())
}

fn poll_serve(address: &str) -> Done {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    say_where(listener.local_addr()?)?;
    let mut tries = 0;
    loop {
        match listener.accept() {
            Ok((connection, _)) => {
                connection.set_nonblocking(false)?;
                println!("{} bytes, {}", echo(connection)?, if tries > 0 { "polled" } else { "at once" });
                return Ok(());
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => tries += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

fn ask(address: &str, text: &str) -> Done {
    let mut connection = TcpStream::connect(address)?;
    connection.write_all(text.as_bytes())?;
    connection.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    println!("{answer}");
    Ok(())
}

fn stream(address: &str, mib: usize) -> Done {
    let mut connection = TcpStream::connect(address)?;
    let piece: Vec<u8> = (0..65536u32).map(|i| (i % 251) as u8).collect();
    let mut back = vec![0; piece.len()];
    for _ in 0..mib * 16 {
        connection.write_all(&piece)?;
        connection.read_exact(&mut back)?;
        assert!(back == piece);
    }
    println!("{mib} MiB");
    Ok(())
}

fn idle(address: &str) -> Done {
    let mut connection = TcpStream::connect(address)?;
    println!("connected");
    io::stdout().flush()?;
    println!("{} bytes", connection.read(&mut [0; 10])?);
    Ok(())
}

fn ends(address: &str) -> Done {
    let connection = TcpStream::connect(address)?;
    connection.set_ttl(42)?;
    println!("{} {}", connection.local_addr()?, connection.peer_addr()?);
    println!("ttl {}", connection.ttl()?);
    Ok(())
}

fn udp_serve(address: &str, count: usize) -> Done {
    let socket = UdpSocket::bind(address)?;
    say_where(socket.local_addr()?)?;
    let mut buffer = [0; 65536];
    for _ in 0..count {
        let (size, peer) = socket.recv_from(&mut buffer)?;
        socket.send_to(&buffer[..size], peer)?;
    }
    Ok(())
}

fn any_for(address: &str) -> Result<&'static str, Box<dyn Error>> {
    let first = address.to_socket_addrs()?.next().ok_or("no address")?;
    Ok(if first.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" })
}

fn udp_ask(address: &str, text: &str) -> Done {
    let socket = UdpSocket::bind(any_for(address)?)?;
    socket.connect(address)?;
    socket.send(text.as_bytes())?;
    let mut buffer = [0; 65536];
    let size = socket.recv(&mut buffer)?;
    println!("{}", str::from_utf8(&buffer[..size])?);
    Ok(())
}

fn udp_send(address: &str, text: &str) -> Done {
    let socket = UdpSocket::bind(any_for(address)?)?;
    socket.send_to(text.as_bytes(), address)?;
    let mut buffer = [0; 65536];
    let (size, peer) = socket.recv_from(&mut buffer)?;
    println!("{} from {peer}", str::from_utf8(&buffer[..size])?);
    Ok(())
}

fn resolve(name: &str) -> Done {
    for address in (name, 0u16).to_socket_addrs()? {
        println!("{}", address.ip());
    }
    Ok(())
}
