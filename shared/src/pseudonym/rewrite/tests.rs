use super::*;
use crate::pseudonym::{Key, Kinds, Pseudonyms};

fn pseudonyms(kinds: &str) -> Pseudonyms {
    let kinds: Kinds = crate::pseudonym::kinds(kinds.split(',')).unwrap();
    Pseudonyms::new(&Key::from_bytes([7; 32]), kinds, None)
}

fn rewritten(words: &mut Pseudonyms, text: &str) -> String {
    let mut out = Vec::new();
    rewrite(text.as_bytes(), words, false, &mut Counts::default(), &mut out);
    String::from_utf8(out).unwrap()
}

/// The pseudonym of an address.
fn ip(text: &str) -> String {
    pseudonyms("ip").address(text.parse().unwrap(), false).unwrap().to_string()
}

#[test]
fn addresses_are_found_wherever_they_stand() {
    let image = ip("10.0.6.31");
    for around in [
        "@",
        "dial tcp @:10250: i/o timeout",
        r#"{"ip":"@"}"#,
        r#"{"a":"x\n@\ty"}"#,
        r#"{\"a\":\"x\\n@\"}"#,
        "地址@，端口",
        "http%3A%2F%2F@%3A80",
        "\x1b[31m@\x1b[0m",
        r"\u001b[32m@\u001b[0m",
        r"\u003c@\u003e",
        "kubelet-@.log",
        "src=@ dst=@",
        "->@:53",
        "/@:443",
        "at @.",
        "(@)",
        "@-@",
        "node/@",
        "@/24",
    ] {
        let text = around.replace('@', "10.0.6.31");
        assert_eq!(rewritten(&mut pseudonyms("ip"), &text), around.replace('@', &image), "{text}");
    }
}

#[test]
fn dashes_and_reversed_names_hold_addresses_too() {
    let image = ip("10.0.6.31");
    let dashed = image.replace('.', "-");
    let mut words = pseudonyms("ip");
    assert_eq!(
        rewritten(&mut words, "ip-10-0-6-31.ns.pod.cluster.local"),
        format!("ip-{dashed}.ns.pod.cluster.local")
    );
    let reversed: Vec<&str> = image.split('.').rev().collect();
    assert_eq!(
        rewritten(&mut words, "31.6.0.10.in-addr.arpa."),
        format!("{}.in-addr.arpa.", reversed.join("."))
    );
    assert_eq!(rewritten(&mut words, "at 1-2-3-4"), "at 1-2-3-4", "not an address for sure");
}

#[test]
fn networks_keep_the_zeros_of_their_hosts() {
    let mut words = pseudonyms("ip");
    let network = rewritten(&mut words, "10.244.0.0/16");
    assert!(network.ends_with(".0.0/16") && network != "10.244.0.0/16", "{network}");
    let host = rewritten(&mut words, "10.244.9.3");
    assert_eq!(host.split('.').nth(1), network.split('.').nth(1));
    assert_eq!(rewritten(&mut words, "0.0.0.0/0 ::/0 127.0.0.0/8"), "0.0.0.0/0 ::/0 127.0.0.0/8");
    let v6 = rewritten(&mut words, "fd00:10:244::/56,fd00:10:244::7");
    let (network, host) = v6.split_once("::/56,").unwrap();
    assert!(host.starts_with(network.rsplit_once(':').unwrap().0), "{v6}");
}

#[test]
fn numbers_that_are_no_addresses_stay() {
    for text in [
        "v1.20.2",
        "1.20.2.3.4",
        "v1.2.3.4",
        "chart bk-job-1.2.3.4",
        "Chrome/108.0.53.12",
        "10:20:30",
        "12:34:56.789",
        "01.02.03.04",
        "1.2.3.400",
        "version 8.0.33.1",
        "std::string",
        "a::b",
        "2026-11-22",
        "255.255.255.0",
        "5.6.7.8-rc1",
        "sha256:0a1b2c",
        "f0:9f:98",
        "1-2-3-4",
    ] {
        assert_eq!(rewritten(&mut pseudonyms("all"), text), text);
    }
}

#[test]
fn an_address_that_is_known_is_one_even_where_it_could_be_a_version() {
    let mut words = pseudonyms("ip");
    let image = rewritten(&mut words, "from 203.0.113.9");
    assert_eq!(rewritten(&mut words, "x/203.0.113.9"), image.replace("from ", "x/"));
}

#[test]
fn machines_are_found_in_longer_names_and_not_in_other_words() {
    let mut words = pseudonyms("host");
    words.machine("zeus-1");
    words.machine("zeus-12");
    let image = rewritten(&mut words, "zeus-1");
    assert!(image != "zeus-1" && image.ends_with("-1") && image.len() == 6, "{image}");
    for around in [
        "kube-apiserver-@",
        "kube-apiserver-@_kube-system_x-0123.log",
        "node/@",
        "[root@@ ~]#",
        r#""x\n@""#,
        "@.",
        "https://@:6443/",
        "@-abcde",
        "@/10.0.0.1",
    ] {
        let (text, wanted) = match around.strip_prefix("[root@@") {
            Some(rest) => (format!("[root@zeus-1{rest}"), format!("[root@{image}{rest}")),
            None => (around.replace('@', "zeus-1"), around.replace('@', &image)),
        };
        assert_eq!(rewritten(&mut words, &text), wanted);
    }
    for other in ["zeus-11", "xzeus-1", "zeus", "zeus_1"] {
        assert_eq!(rewritten(&mut words, other), other);
    }
    assert_eq!(rewritten(&mut words, "ZEUS-1"), image.to_uppercase());
    assert_eq!(rewritten(&mut words, "zeus-12"), image.replace("-1", "-12"));
}

#[test]
fn domains_go_label_by_label_and_what_everybody_knows_stays() {
    let mut words = pseudonyms("host");
    let one = rewritten(&mut words, "a1.mycorp.com.cn");
    let other = rewritten(&mut words, "b1.mycorp.com.cn");
    assert_eq!(one.split_once('.').unwrap().1, other.split_once('.').unwrap().1);
    assert!(one.ends_with(".com.cn") && one.len() == "a1.mycorp.com.cn".len(), "{one}");
    let repo = rewritten(&mut words, "https://bkrepo.mycorp.com.cn/x");
    assert_eq!(repo, format!("https://bkrepo.{}/x", one.split_once('.').unwrap().1));
    let mixed = rewritten(&mut words, "https://user:pw@shop.start.io:8080/a.b");
    assert!(
        !mixed.contains("start") && mixed.starts_with("https://user:pw@") && mixed.ends_with(":8080/a.b"),
        "{mixed}"
    );
    for stays in [
        "registry.k8s.io/pause:3.5",
        "hub.bktencent.com/blueking/bk-repo:1.2.3",
        "bk-mysql.blueking.svc.cluster.local",
        "kubernetes.default.svc",
        "app.py",
        "values.yaml",
        "kubelet.service",
        "org.apache.http.conn",
        "apps.k8s.io",
        "http://bk-repo.blueking:80/",
        "java.net",
        "Foo.com",
        "storageclass.kubernetes.io/is-default-class",
        "a.b.c",
        "localhost.localdomain",
        "repo.bk.com",
        "com.tencent.bk",
    ] {
        assert_eq!(rewritten(&mut words, stays), stays);
    }
}

#[test]
fn a_domain_that_is_known_is_found_under_any_ending() {
    let mut words = pseudonyms("host");
    words.machine("n1.dc1.mycorp");
    let image = rewritten(&mut words, "gitlab.dc1.mycorp and n1.dc1.mycorp.crt");
    assert!(image.starts_with("gitlab.") && image.ends_with(".crt") && !image.contains("mycorp"), "{image}");
}

#[test]
fn mail_addresses_and_hardware_addresses() {
    let mut words = pseudonyms("all");
    let image = rewritten(&mut words, "to zhang.san@mycorp.com, cc root@mycorp.com");
    assert!(!image.contains("zhang") && !image.contains("mycorp") && image.contains("cc root@"), "{image}");
    assert_eq!(image.len(), "to zhang.san@mycorp.com, cc root@mycorp.com".len());
    let mac = rewritten(&mut words, "link/ether 52:54:00:12:34:56 brd ff:ff:ff:ff:ff:ff");
    assert!(
        mac.starts_with("link/ether 52:") && !mac.contains("12:34:56") && mac.ends_with("ff:ff:ff:ff:ff:ff"),
        "{mac}"
    );
    assert_eq!(
        rewritten(&mut pseudonyms("ip"), "a@mycorp.com 52:54:00:12:34:56"),
        "a@mycorp.com 52:54:00:12:34:56"
    );
}

#[test]
fn marks_of_secrets_stay() {
    let mut words = pseudonyms("host");
    words.machine("1a2b3c4d");
    assert_eq!(rewritten(&mut words, "***password:1a2b3c4d***"), "***password:1a2b3c4d***");
}

#[test]
fn ipv6_addresses_of_all_spellings() {
    let image = ip("fd00::6:31");
    for around in ["[@]:6443", "@/64", "inet6 @ scope", r#""@""#, "x @: y"] {
        let text = around.replace('@', "fd00::6:31");
        assert_eq!(rewritten(&mut pseudonyms("ip"), &text), around.replace('@', &image), "{text}");
    }
    assert_eq!(rewritten(&mut pseudonyms("ip"), "FD00:0:0:0:0:0:6:31"), image);
    let mapped = rewritten(&mut pseudonyms("ip"), "::ffff:10.0.6.31");
    assert_eq!(mapped, format!("::ffff:{}", ip("10.0.6.31")));
}

#[test]
fn columns_stay_where_they_are_if_there_is_room() {
    let mut words = pseudonyms("ip");
    let text = "NAME   IP              NODE\nweb    10.0.6.31       a\nweb2   10.100.106.131  b\n";
    let mut out = Vec::new();
    rewrite(text.as_bytes(), &mut words, true, &mut Counts::default(), &mut out);
    let out = String::from_utf8(out).unwrap();
    let column = |line: usize| out.lines().nth(line).unwrap().len() - 1;
    assert_eq!(column(1), column(2), "{out}");
}
