//! Published ports that a process leads: whole streams and broken ones, many and slow ones, datagrams, and firewalls.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::guest::{Guest, ROOTLESS, prepare, rest, script};
use common::{HOST4, HOST6, Tcp, Udp, ask, ask_udp, at, inside, on_a_host, refusal, serve, sh};
use rustix::net::sockopt::{set_socket_linger, set_socket_recv_buffer_size};
use rustix::net::{AddressFamily, SocketType, socket};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

/// Runs `serve` for each who connects to the port of the guest.
fn each_client(port: u16, serve: fn(TcpStream)) {
    let listener = inside("guest", move || TcpListener::bind(at("127.0.0.1", port)).unwrap());
    // Of the 128 that the library has, a crowd makes the kernel take some for a flood, and break them.
    rustix::net::listen(&listener, 4096).unwrap();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || serve(client));
        }
    });
}

/// Answers with all that it has got, once it has got all.
fn mirror(mut client: TcpStream) {
    let all = rest(&client).unwrap();
    client.write_all(&all).unwrap();
}

/// Sends without end.
fn flood(mut client: TcpStream) {
    while client.write_all(&[0; 1 << 16]).is_ok() {}
}

/// Sends as much as it is told, and ends.
fn send(mut client: TcpStream) {
    let mut count = [0; 4];
    client.read_exact(&mut count).unwrap();
    let _ = client.write_all(&vec![0; u32::from_le_bytes(count) as usize]);
}

/// Breaks off in the middle of an answer.
fn break_off(mut client: TcpStream) {
    let _ = client.read(&mut [0; 1]);
    client.write_all(b"half").unwrap();
    let _ = client.read(&mut [0; 1]);
    set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
}

/// A connection to a port of this thread's namespace, which gives up after a while.
fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(at("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

/// The same for one that takes hardly anything until it is read.
fn connect_with_small_window(port: u16) -> TcpStream {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    set_socket_recv_buffer_size(&socket, 4096).unwrap();
    rustix::net::connect(&socket, &at("127.0.0.1", port)).unwrap();
    socket.into()
}

#[test]
fn servers_are_reached_wherever_they_listen_inside() {
    on_a_host(|| {
        prepare();
        let _guest = Guest::new(
            ROOTLESS,
            "-p 8080-8083:80-83 -p [::1]:8080-8083:80-83 -p 0.0.0.0:8080:80/udp -p [::1]:8081-8083:81-83/udp",
        );
        sh("ip -n guest addr add 10.9.9.9/32 dev lo");
        for (ip, port) in [("0.0.0.0", 80), ("127.0.0.1", 81), ("::1", 82), ("10.9.9.9", 83)] {
            serve("guest", ip, port, "guest");
            for from in ["127.0.0.1", "::1"] {
                assert!(ask("", Tcp, at(from, port + 8000)).is_some(), "{ip} from {from}");
            }
            let from = if port == 80 { "127.0.0.1" } else { "::1" };
            assert!(ask("", Udp, at(from, port + 8000)).is_some(), "{ip} from {from}");
        }
        assert_eq!(ask("guest", Tcp, at("192.0.2.1", 9000)), None, "there is no way out");
        assert_eq!(ask("inet", Tcp, at(HOST4, 8080)), None, "that is of the loopback");
        assert!(ask("inet", Udp, at(HOST4, 8080)).is_some());
        assert!(TcpStream::connect(at("127.0.0.1", 8080)).is_ok());
    });
}

#[test]
fn a_stream_is_whole_both_ways_and_ends_one_way_at_a_time() {
    on_a_host(|| {
        prepare();
        let _guest = Guest::new("", "-p 8080:80");
        each_client(80, mirror);
        let sent: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let mut stream = connect(8080);
        stream.write_all(&sent).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert!(rest(stream).unwrap() == sent);
    });
}

#[test]
fn a_broken_stream_is_not_taken_for_a_whole_one() {
    on_a_host(|| {
        prepare();
        let _guest = Guest::new("", "-p 8080-8081:80-81");
        each_client(80, break_off);
        let mut stream = connect(8080);
        stream.write_all(b"?").unwrap();
        let mut half = [0; 4];
        stream.read_exact(&mut half).unwrap();
        stream.write_all(b"?").unwrap();
        assert_eq!(rest(stream).unwrap_err().kind(), ErrorKind::ConnectionReset);
        let nobody = connect(8081);
        assert_eq!(rest(nobody).unwrap_err().kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn many_and_slow_ones_do_not_keep_others_waiting_nor_take_memory_or_time() {
    on_a_host(|| {
        prepare();
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
        let guest = Guest::new(ROOTLESS, "-p 8080-8082:80-82");
        each_client(80, mirror);
        each_client(81, flood);
        each_client(82, send);
        let _slow: Vec<TcpStream> = (0..20).map(|_| connect_with_small_window(8081)).collect();
        // Some of them have ended but for what they do not take.
        let _ended: Vec<TcpStream> = (2..16_u32)
            .map(|size| {
                let mut stream = connect_with_small_window(8082);
                stream.write_all(&(size << 19).to_le_bytes()).unwrap();
                stream.shutdown(Shutdown::Write).unwrap();
                stream
            })
            .collect();
        let mut all: Vec<TcpStream> = (0..1000).map(|_| connect(8080)).collect();
        for stream in &mut all {
            stream.write_all(b"something").unwrap();
        }
        for stream in all {
            stream.shutdown(Shutdown::Write).unwrap();
            assert_eq!(rest(stream).unwrap(), b"something");
        }
        let proxy = guest.helper("netns-proxy");
        let memory = sh(&format!("sed -n 's/^RssAnon:[^0-9]*//p' /proc/{proxy}/status"));
        let memory: u32 = memory.trim_end_matches(" kB").parse().unwrap();
        assert!(memory < 4096, "{memory} KiB");
        let wakes = || -> u64 {
            let count = sh(&format!("sed -n 's/^voluntary_ctxt_switches:.//p' /proc/{proxy}/status"));
            let ticks = sh(&format!("awk '{{ print $14 + $15 }}' /proc/{proxy}/stat"));
            count.parse::<u64>().unwrap() + ticks.parse::<u64>().unwrap()
        };
        let rests = |_| {
            let before = wakes();
            thread::sleep(Duration::from_secs(1));
            wakes() - before < 10
        };
        assert!((0..10).any(rests), "it runs while nothing happens");
    });
}

#[test]
fn those_for_whom_there_is_no_room_wait() {
    on_a_host(|| {
        prepare();
        let _guest = Guest::new("sh -c 'ulimit -n 40; exec \"$@\"' -", "-p 8080:80");
        each_client(80, mirror);
        let mut all: Vec<TcpStream> = (0..30).map(|_| connect(8080)).collect();
        for stream in &mut all {
            stream.write_all(b"something").unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
        }
        for stream in all {
            assert_eq!(rest(stream).unwrap(), b"something");
        }
    });
}

#[test]
fn answers_by_udp_find_who_has_asked_and_come_from_where_he_asked() {
    on_a_host(|| {
        prepare();
        sh("ip addr add 192.0.2.9/24 dev up0; ip -6 addr add 2001:db8::9/64 dev up0 nodad");
        let _guest = Guest::new(ROOTLESS, "-p 0.0.0.0:5300:53/udp -p [::]:5300:53/udp");
        let server = inside("guest", || UdpSocket::bind("127.0.0.1:53").unwrap());
        let echo = thread::spawn(move || {
            let mut bytes = [0; 100];
            for _ in 0..44 {
                let (length, from) = server.recv_from(&mut bytes).unwrap();
                server.send_to(&bytes[..length], from).unwrap();
            }
        });
        let limit = Some(Duration::from_secs(30));
        let clients: Vec<UdpSocket> = inside("inet", || {
            ["192.0.2.9:5300", "[2001:db8::9]:5300"]
                .into_iter()
                .cycle()
                .take(40)
                .map(|to| {
                    let socket =
                        UdpSocket::bind(if to.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" }).unwrap();
                    // Takes nothing that another address sends.
                    socket.connect(to).unwrap();
                    socket
                })
                .collect()
        });
        for (number, client) in clients.iter().enumerate() {
            client.set_read_timeout(limit).unwrap();
            client.send(&[number as u8]).unwrap();
        }
        for (number, client) in clients.iter().enumerate() {
            let mut answer = [0; 2];
            assert_eq!((client.recv(&mut answer).unwrap(), answer[0]), (1, number as u8));
        }
        // The same flow goes on.
        for _ in 0..4 {
            clients[0].send(b"x").unwrap();
            clients[0].recv(&mut [0; 2]).unwrap();
        }
        echo.join().unwrap();
        // The server has gone, and is another one at another address.
        let client = inside("inet", || UdpSocket::bind("0.0.0.0:0").unwrap());
        assert_eq!(ask_udp(&client, at(HOST4, 5300)), None);
        serve("guest", "::1", 53, "new");
        assert_eq!(ask_udp(&client, at(HOST4, 5300)).as_deref(), Some("new ::1"));
    });
}

#[test]
fn a_proxy_of_a_network_listens_where_firewalls_of_this_host_look() {
    on_a_host(|| {
        prepare();
        sh("netns net add n --mtu 1400; nft add table ip wall
            nft add chain ip wall in '{ type filter hook input priority 0; policy accept; }'
            nft add rule ip wall in iifname up0 tcp dport 8080-8089 drop");
        let _guest = Guest::new(
            "",
            "--net n -p 0.0.0.0:8080:80 -p 0.0.0.0:8081:80,proxy -p [::1]:8080:80 -p [::]:8081:80,proxy",
        );
        serve("guest", "::", 80, "guest");
        for (from, to, is_reached) in [
            ("inet", at(HOST4, 8080), true),
            ("inet", at(HOST4, 8081), false),
            ("inet", at(HOST6, 8081), true),
            ("", at("::1", 8080), true),
            ("", at("127.0.0.1", 8081), true),
        ] {
            assert_eq!(ask(from, Tcp, to).is_some(), is_reached, "{from} {to}");
        }
        let ports = sh("netns net ls --json");
        assert!(ports.contains(r#""[::1]:8080:80/tcp,proxy""#), "{ports}");
        sh("nft delete table inet netns-n; netns net repair n");
        assert!(ask("", Tcp, at("127.0.0.1", 8081)).is_some(), "the rules do not take it");
        assert!(ask("inet", Tcp, at(HOST4, 8080)).is_some());
        for (port, why) in [
            ("8081:81", "a program of this host listens on 8081/tcp already"),
            ("8081:81,proxy", "a program of this host listens on 8081/tcp already"),
            ("8080:81,proxy", "8080/tcp is published already, for a host of the network n"),
        ] {
            let e = refusal(&format!("netns new --net n -p {port} -- true"));
            assert!(e.contains(why), "{port}: {e}");
        }
    });
}

#[test]
fn what_cannot_be_is_told_before_the_command_starts() {
    on_a_host(|| {
        prepare();
        serve("", "127.0.0.1", 8080, "host");
        let new = format!("{ROOTLESS} netns new");
        for (options, why) in [
            ("-p 8080:80", "a program of this host listens on 8080/tcp already"),
            ("-p 8000-8090:80-170/udp", "a program of this host listens on 8080/udp already"),
            ("-p 80:80", "port 80 is one of those that only root may have"),
            ("-p 203.0.113.1:8081:80", "203.0.113.1 is no address of this host"),
            ("-p 8081:80 -p 8081:81", "port 8081 is given twice"),
            ("-p 8081:80,nat", "nat is not proxy"),
            ("--dns 192.0.2.1", "without --net or --pasta no server is reached"),
            ("--pasta --net n", "cannot use --pasta: it does not go with --net"),
            ("--pasta --ip 10.0.0.1", "cannot use --pasta: it does not go with --ip"),
            ("--pasta web", "only the host of a network is called something"),
        ] {
            let e = refusal(&script(&format!("{new} {options} -- echo started")));
            assert!(e.contains(why), "{options}: {e}");
        }
        sh("netns net add n");
        for port in ["[::1]:8081:80", "8081:80,proxy"] {
            let e = refusal(&format!("netns new web --net n -p {port}"));
            assert!(e.contains("a process leads it, which ends with the command, and there is none"), "{e}");
        }
        assert!(!sh("netns ls").contains("web"));
    });
}

#[test]
fn the_proxy_may_do_nothing_and_holds_nothing() {
    on_a_host(|| {
        prepare();
        let guest = Guest::new("", "-p 8080:80");
        let proxy = guest.helper("netns-proxy");
        let rights = sh(&format!("grep -E '^(CapEff|CapPrm|NoNewPrivs)' /proc/{proxy}/status"));
        assert_eq!(rights, "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nNoNewPrivs:\t1");
        let open = sh(&format!("ls -l /proc/{proxy}/fd | sed -n 's/.* -> //; s/[0-9[]*]$//p' | sort -u"));
        assert_eq!(open, "anon_inode:[eventpoll\nsocket:");
        let files = sh(&format!("ls /proc/{proxy}/fd | wc -l"));
        assert_eq!(files, "6", "three of the standard, one that listens, epoll and sock_diag");
        let session = |pid: u32| sh(&format!("cut -d' ' -f6 /proc/{pid}/stat"));
        assert_eq!(session(proxy), proxy.to_string(), "keys of the terminal are not for it");
    });
}
