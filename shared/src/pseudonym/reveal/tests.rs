use super::*;
use crate::pseudonym::{Key, Pseudonyms, kinds};
use proptest::prelude::*;

fn pseudonyms() -> Pseudonyms {
    Pseudonyms::new(&Key::from_bytes([9; 32]), kinds(["all"]).unwrap(), None)
}

fn revealed(map: &Map, text: &str) -> String {
    let mut out = Vec::new();
    Revealer::new(map).text(&mut text.as_bytes(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn what_was_replaced_comes_back() {
    let mut words = pseudonyms();
    words.machine("zeus-1");
    words.machine("VM-0-31-centos");
    let text = "zeus-1 vm-0-31-centos VM-0-31-centos https://gitlab.mycorp.com:8443/a?b=10.0.6.31 10.244.0.0/16 \
                kube-apiserver-zeus-1 fd00::1 52:54:00:12:34:56 li.si@mycorp.com ip-10-0-6-31 8.8.8.8 app.py";
    let hidden = words.string(text);
    for real in ["zeus", "centos", "mycorp", "6.31", "244", "12:34", "li.si"] {
        assert!(!hidden.contains(real), "{real} in {hidden}");
    }
    assert_eq!(revealed(&words.map(), &hidden), text);
}

#[test]
fn a_reply_says_things_that_no_bundle_had() {
    let mut words = pseudonyms();
    let host = words.string("gitlab.ops.mycorp.com");
    let address = words.string("10.3.7.21");
    let octets: Vec<&str> = address.split('.').collect();
    let parent = host.split_once('.').unwrap().1;
    let reply = format!(
        "add `new.{parent}` to DNS, route {}.{}.{}.0/24, ping {address}, use 8.8.8.8 and example.com",
        octets[0], octets[1], octets[2]
    );
    assert_eq!(
        revealed(&words.map(), &reply),
        "add `new.ops.mycorp.com` to DNS, route 10.3.7.0/24, ping 10.3.7.21, use 8.8.8.8 and example.com"
    );
}

#[test]
fn another_run_under_the_same_key_maps_alike_and_knows_what_was_known() {
    let mut first = pseudonyms();
    first.machine("zeus");
    let text = "zeus 10.0.6.31 n1.mycorp.com";
    let hidden = first.string(text);
    let key = Key::from_bytes([9; 32]);
    let mut second = Pseudonyms::new(&key, kinds(["all"]).unwrap(), Some(&first.map()));
    assert_eq!(second.string(text), hidden);
    let mut other = Pseudonyms::new(&Key::from_bytes([8; 32]), kinds(["all"]).unwrap(), None);
    assert_ne!(other.string(text), hidden);
}

proptest! {
    #[test]
    fn any_text_comes_back(
        pieces in prop::collection::vec(
            prop_oneof![
                "[a-z]{3,9}-[0-9]{1,2}\\.mycorp\\.com",
                "10\\.[1-9][0-9]?\\.[1-9][0-9]?\\.[1-9][0-9]?",
                "(https://|kube-proxy-|\\[|\"|\\\\n)zeus-[1-9]( |\"|:80)",
                "[ ,;\"{}\\[\\]:a-z]{0,12}",
            ],
            0..12,
        ),
    ) {
        let text = pieces.join(" ");
        let mut words = pseudonyms();
        (1..10).for_each(|n| words.machine(&format!("zeus-{n}")));
        let hidden = words.string(&text);
        prop_assert_eq!(revealed(&words.map(), &hidden), text);
    }
}
