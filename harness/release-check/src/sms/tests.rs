use std::{
    cell::Cell,
    fs,
    io::{self, Cursor, Read},
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{
    anonymise::invented,
    export::{self, Exported},
    judge::{Judged, broken_law},
    structure,
};

const RECEIPT: &str = "You have received 5,000 RWF from JEAN BAPTISTE (0788123456). Txn ID: ABC123456";

struct Export {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn export(name: &str, content: impl AsRef<[u8]>) -> Export {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    Export { _folder: folder, path }
}

fn read(export: &Export) -> Result<Vec<Exported>, String> {
    let mut messages = Vec::new();
    let read = export::read(&export.path, &mut |message| {
        messages.push(message);
        Ok(())
    });
    read.map(|_| messages).map_err(|error| {
        let folder = export.path.parent().unwrap().display().to_string();
        error.to_string().replace(&folder, "").split('\n').next().unwrap().to_owned()
    })
}

fn message(sender: &str, text: &str) -> Exported {
    Exported { sender: sender.to_owned(), text: text.to_owned() }
}

#[test]
fn each_kind_of_export_is_read() {
    let expected = [message("M-Money", "a & \"b\" 😀"), message("0788000111", "c")];
    let xml = r#"<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>
<!--File Created By SMS Backup & Restore-->
<smses count="3" backup_set="x">
  <sms protocol="0" address="M-Money" date="1715351458724" type="1" body="a &amp; &quot;b&quot; &#55357;&#56832;" read="1" />
  <sms protocol="0" address="M-Money" date="1715351458725" type="2" body="sent" />
  <mms address="x"><parts><part ct="image/jpeg" data="AAAA"/></parts></mms>
  <sms address="0788000111" type="1" body="c"/>
</smses>"#;
    let csv =
        "\u{FEFF}date,address,body,type\n1,M-Money,\"a & \"\"b\"\" 😀\",1\n2,M-Money,sent,2\n3,0788000111,c,inbox\n";
    let list = r#"[{"address":"M-Money","body":"a & \"b\" 😀","date":1},{"address":"x","body":"sent","type":2},{"sender":"0788000111","text":"c","type":"1"}]"#;
    let object = format!(r#"{{"count":3,"messages":{list}}}"#);
    let lines =
        "{\"address\":\"M-Money\",\"body\":\"a & \\\"b\\\" 😀\"}\n{\"address\":\"0788000111\",\"body\":\"c\"}\n";
    for (name, content) in [("a.xml", xml), ("a.csv", csv), ("a.json", list), ("b.json", &object), ("a.jsonl", lines)] {
        assert_eq!(read(&export(name, content)).unwrap(), expected, "{name}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_one_error_with_its_place() {
    let bad = [
        ("empty.xml", "", "/empty.xml:1: the file is empty"),
        (
            "cut.xml",
            "<smses>\n<sms address=\"a\" body=\"b\"/>\n",
            "/cut.xml:3: the file ends before its last element does: it was cut off",
        ),
        ("foreign.xml", "<calls>\n</calls>", "/foreign.xml:1: its root is <calls> and not <smses>"),
        ("lacks.xml", "<smses>\n<sms address=\"a\"/></smses>", "/lacks.xml:2: an <sms> has no body"),
        (
            "entity.xml",
            "<smses>\n<sms address=\"a\" body=\"&nope;\"/></smses>",
            "/entity.xml:2: &nope; is no reference",
        ),
        ("none.xml", "<smses></smses>", "/none.xml: there is no received message in it"),
        ("foreign.csv", "name,number of cows\nx,3\n", "/foreign.csv:1: it has no columns of the sender and the text"),
        ("short.csv", "address,body\na,b\nc\n", "/short.csv:3: the line has 1 fields and the first one 2"),
        (
            "cut.json",
            "[{\"address\":\"a\",\"body\":\"b\"},\n",
            "/cut.json:2: the file ends before its last value does: it was cut off",
        ),
        ("foreign.json", "[{\"cows\":3}]", "/foreign.json:1: a message has no sender (address) or no text (body)"),
        ("none.json", "[]", "/none.json: there is no received message in it"),
    ];
    for (name, content, expected) in bad {
        assert_eq!(read(&export(name, content)).unwrap_err(), expected);
    }
    assert_eq!(
        read(&export("latin.csv", b"address,body\na,caf\xE9\n")).unwrap_err(),
        "/latin.csv:2: the line is not UTF-8"
    );
    let absent = export("x", "");
    let absent = Export { path: absent.path.with_file_name("no such file"), ..absent };
    assert!(read(&absent).unwrap_err().contains("No such file"));
}

/// An export that is made while it is read.
struct Made<'m> {
    form: &'m [&'m str; 4],
    messages: usize,
    made: &'m Cell<usize>,
    unread: Cursor<String>,
}

impl Read for Made<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let [_, first, next, end] = self.form;
        if self.unread.position() == self.unread.get_ref().len() as u64 && self.made.get() <= self.messages {
            let made = self.made.get();
            self.made.set(made + 1);
            let form = if made == 0 { first } else { next };
            let more = if made == self.messages { (*end).to_owned() } else { form.replace('@', RECEIPT) };
            self.unread = Cursor::new(more);
        }
        self.unread.read(buffer)
    }
}

/// Of a long export the first messages are there before the last ones are read.
#[test]
fn an_export_is_read_as_a_stream() {
    // The beginning with a first message, the next ones, the end.
    let forms = [
        ["xml", "<smses><sms address=\"a\" body=\"@\"/>", "\n<sms address=\"a\" body=\"@\"/>", "</smses>"],
        ["csv", "address,body\na,\"@\"\n", "a,\"@\"\n", ""],
        ["json", "[{\"address\":\"a\",\"body\":\"@\"}", ",{\"address\":\"a\",\"body\":\"@\"}", "]"],
        ["object", "{\"sms\":[{\"address\":\"a\",\"body\":\"@\"}", ",{\"address\":\"a\",\"body\":\"@\"}", "]}"],
        ["jsonl", "{\"address\":\"a\",\"body\":\"@\"}\n", "{\"address\":\"a\",\"body\":\"@\"}\n", ""],
    ];
    const MESSAGES: usize = 20_000;
    // Whatever is read ahead fits into the readers' buffers.
    const AHEAD: usize = (80 << 10) / RECEIPT.len();
    for form in &forms {
        let (made, mut taken, mut furthest) = (Cell::new(0), 0, 0);
        let file = Made { form, messages: MESSAGES, made: &made, unread: Cursor::default() };
        let read = export::read_from(file, Path::new("export"), &mut |_| {
            furthest = furthest.max(made.get() - taken);
            taken += 1;
            Ok(())
        });
        assert_eq!(read.unwrap(), MESSAGES as u64, "{}", form[0]);
        assert!(furthest <= AHEAD, "{}: {furthest} messages were read before the first of them was passed on", form[0]);
    }
}

/// Without its closing quote a text goes on to the end of the file, which may be anywhere.
#[test]
fn a_message_without_an_end_is_not_read_to_the_files_end() {
    for (form, beginning) in [
        ("xml", "<smses>\n<sms address=\"a\" body=\"b\"/>\n<sms address=\"a\" body=\""),
        ("csv", "address,body\na,b\na,\""),
        ("json", "[\n{\"address\":\"a\",\"body\":\"b\"},\n{\"address\":\"a\",\"body\":\""),
    ] {
        let rest = Cell::new(0_u64);
        let counted = io::repeat(b'x').take(10 * export::LONGEST as u64);
        let file = beginning.as_bytes().chain(Counted { inner: counted, read: &rest });
        let error = export::read_from(file, Path::new("export"), &mut |_| Ok(())).unwrap_err().to_string();
        let first = error.split('\n').next().unwrap();
        assert_eq!(first, "export:3: a message is longer than 16 MB: its end is missing", "{form}");
        assert!(rest.get() < 2 * export::LONGEST as u64, "{form}: {} bytes", rest.get());
    }
}

struct Counted<'c, R> {
    inner: R,
    read: &'c Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.set(self.read.get() + read as u64);
        Ok(read)
    }
}

/// What is somebody's is not in a structure: no name, no number, no word that only people use.
#[test]
fn a_structure_has_nothing_of_anybody() {
    let of = structure::of(RECEIPT);
    assert_eq!(of, "You have received # RWF from @ (#). Txn ID: #");
    assert_eq!(
        structure::of(&RECEIPT.replace("JEAN BAPTISTE", "Keza MUGISHA-UWERA").replace("5,000", "1,200,000")),
        of
    );
    let chat = structure::of("Mama, call Alphonsine at 0788555123 about the funeral");
    assert!(!chat.contains("Alphonsine") && !chat.contains("funeral") && !chat.contains("0788"), "{chat}");
}

#[test]
fn an_invented_text_has_the_structure_and_nobodys_data() {
    for variant in 0..3 {
        let text = invented(RECEIPT, variant);
        assert_eq!(structure::of(&text), structure::of(RECEIPT), "{text}");
        for own in ["JEAN", "BAPTISTE", "0788123456", "ABC123456"] {
            assert!(!text.contains(own), "{text}");
        }
    }
}

#[test]
fn a_booking_that_no_parser_may_make_is_named() {
    let (known, good) = (
        json!({"kind": "received"}),
        json!({"matched": true, "confidence": 0.95, "amount": 5000.00, "currency": "RWF", "payer_name": "JEAN BAPTISTE",
               "payer_phone": "0788123456", "momo_tx_id": "ABC123456"}),
    );
    assert_eq!(broken_law(RECEIPT, &known, &good), None);
    let mut wrong = good.clone();
    wrong["amount"] = json!(900_000);
    assert_eq!(broken_law(RECEIPT, &known, &wrong).unwrap(), "the amount is not in the text");
    // As a string within the text, and no number of it; nothing; and what nobody receives.
    for amount in [json!(500), json!(null), json!(0), json!(-5000)] {
        wrong["amount"] = amount;
        assert_eq!(broken_law(RECEIPT, &known, &wrong).unwrap(), "the amount is not in the text", "{wrong}");
    }
    for (written, amount) in
        [("5 000", "5000"), ("5\u{a0}000", "5000.00"), ("5,000.50", "5000.5"), ("5.000", "5000"), ("5000", "5000.0")]
    {
        let mut right = good.clone();
        right["amount"] = json!(amount);
        assert_eq!(broken_law(&RECEIPT.replace("5,000", written), &known, &right), None, "{written}");
    }
    let mut wrong = good.clone();
    wrong["payer_name"] = json!("PAUL");
    assert_eq!(broken_law(RECEIPT, &known, &wrong).unwrap(), "the payer's name is not in the text");
    assert_eq!(broken_law(RECEIPT, &json!({"kind": "out"}), &good).unwrap(), "booked, and it is: out");
    let dollars = RECEIPT.replace("RWF", "USD");
    assert_eq!(broken_law(&dollars, &known, &good).unwrap(), "the currency is not what the text says");

    let mut judged = Judged::default();
    judged.add(&message("M-Money", RECEIPT), &known, &good, 0.85);
    judged.add(&message("0788000111", RECEIPT), &known, &good, 0.85);
    judged.add(&message("someone@mail.example", RECEIPT), &known, &good, 0.85);
    judged.add(&message("M-Money", RECEIPT), &json!({"kind": "out"}), &good, 0.85);
    let line = &judged.lines[&structure::of(RECEIPT)];
    assert_eq!((line.texts, line.booked, line.pending, judged.wrong()), (4, 2, 2, 1));
}
