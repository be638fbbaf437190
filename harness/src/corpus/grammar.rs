//! Variants of the structures that providers use, by seed, and the laws that hold for them whatever a parser is like:
//! nothing that is no payment becomes one, and no field is anything that the text does not say.

use std::fmt::Write;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};

use super::{Direction, Fields, ZONE};

/// A text that a grammar made, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Its number and what was done to it, for whoever looks for the one that breaks a law.
    pub about: String,
    /// Who it comes from.
    pub sender: String,
    /// The text.
    pub text: String,
    /// What became of the money.
    pub direction: Direction,
    /// What a transaction of it may have; a field that is not named is not said.
    pub fields: Fields,
    /// When it says that it happened.
    pub said_at: Option<Timestamp>,
    /// Whether a parser that knows the structure reads it: a payment that came in, as it came.
    pub is_plain: bool,
}

/// A structure: what became of the money, whether its sum is in francs, and its words with places to fill.
struct Structure {
    name: &'static str,
    sender: &'static str,
    direction: Direction,
    words: &'static str,
}

const fn of(name: &'static str, sender: &'static str, direction: Direction, words: &'static str) -> Structure {
    Structure { name, sender, direction, words }
}

const MTN: &str = "M-Money";
const AIRTEL: &str = "AirtelMoney";

/// `{amount}` is the payment, `{sum}` another sum, `{note}` the payer's words, `{payer}` a name with a number behind it,
/// `{name}`, `{phone}`, `{number}` and `{masked}` parts of that, `{someone}` who is no payer.
const STRUCTURES: &[Structure] = &[
    of("promised", "MoMo", Direction::In, "You have received {amount} RWF from {name} ({phone}). Txn ID: {code}"),
    of(
        "promised, balance",
        "MoMo",
        Direction::In,
        "You have received {amount} RWF from {name} ({phone}). Txn ID: {code}. Fee: {sum} RWF. Your new balance: {sum} RWF.",
    ),
    of(
        "promised, date",
        "MoMo",
        Direction::In,
        "You have received {amount} RWF from {name} ({phone}). Txn ID: {code}. Date: {time}.",
    ),
    of("payment received", "MoMo", Direction::In, "Payment of {amount} RWF received. Ref: {code}"),
    of(
        "long",
        MTN,
        Direction::In,
        "You have received {amount} RWF from {name} ({masked}) on your mobile money account at {time}. Message from sender: {note}. Your new balance:{sum} RWF. Financial Transaction Id: {digits}.",
    ),
    of(
        "long, *165*R*",
        MTN,
        Direction::In,
        "*165*R*You have received {amount} RWF from {name} ({number}) on your mobile money account at {time}. Message from sender: {note}. Your new balance:{sum} RWF. Financial Transaction Id: {digits}.",
    ),
    of(
        "short",
        MTN,
        Direction::In,
        "You have received {amount} RWF from {name} ({masked}) at {time}. Message from sender: {note}. Balance:{sum} RWF. FT Id: {digits}.",
    ),
    of(
        "short, stop apart",
        MTN,
        Direction::In,
        "You have received {amount} RWF from {name} ({masked}) at {time} . Balance:{sum} RWF. FT Id: {digits}",
    ),
    of(
        "short, no id",
        MTN,
        Direction::In,
        "You have received {amount} RWF from {name} ({masked}) at {time}. Balance:{sum} RWF.",
    ),
    of(
        "bank deposit",
        MTN,
        Direction::In,
        "*113*R*A bank deposit of {amount} RWF has been added to your mobile money account at {time}. Your NEW BALANCE :{sum} RWF. Cash Deposit::CASH::::0::{number}.Thank you for using MTN MobileMoney.*EN#",
    ),
    of(
        "short code",
        MTN,
        Direction::In,
        "*162*R*{amount} RWF received from {name} ({number}) at {time}. New balance: {sum} RWF.",
    ),
    of(
        "currency first",
        MTN,
        Direction::In,
        "You have received RWF {amount} from {name} ({phone}). Your new balance is RWF {sum}.",
    ),
    of(
        "confirmed",
        MTN,
        Direction::In,
        "Confirmed: You received RWF {amount} from {name} ({number}) at {time}. Transaction ID: {code}",
    ),
    of("deposited", MTN, Direction::In, "{amount} RWF has been deposited at {time}. Balance: {sum}RWF."),
    of(
        "airtel lines",
        AIRTEL,
        Direction::In,
        "Airtel Money: You have received {amount} RWF\nSender: {masked}\nRef: {code}",
    ),
    of(
        "airtel tid",
        AIRTEL,
        Direction::In,
        "RECEIVED. TID {digits}. RWF {amount} from {phone}, {name}. Bal RWF {sum}. View txns on MyAirtel App",
    ),
    of(
        "airtel payment",
        AIRTEL,
        Direction::In,
        "Payment of RWF {amount} received from {name} {phone} on {day}. Reference: {code}",
    ),
    of("kinyarwanda", MTN, Direction::In, "Wakiriye RWF {amount} kuva kwa {name} {phone} ku {day}. Ref: {code}"),
    of(
        "bank credit",
        "BK BANK",
        Direction::In,
        "Dear {someone}, your account ********5559 has been credited RWF{amount}. Ref: {code} on {time}. Txn Description: Incoming Trsf frm local banks. Txn Charge: RWF0. Notification Charge: RWF0. Available Balance: RWF{sum}. For inquiries call BK: 250788143000.",
    ),
    of(
        "i&m credit",
        "IMBANK",
        Direction::In,
        "I&M Bank: Dear Customer, RWF {amount} has been credited to your account 1234568 by transfer from {name} at {time}.",
    ),
    of(
        "sent",
        MTN,
        Direction::Out,
        "*165*S*{amount} RWF transferred to {someone} ({number}) from 36520001 at {time} . Fee was: {sum} RWF. New balance: {sum} RWF. Kugura ama inite cg interineti kuri MoMo, Kanda *182*2*1# . *EN#",
    ),
    of(
        "sent, short",
        MTN,
        Direction::Out,
        "*165*S*{amount} RWF transferred to {someone} ({number}) at {time} .Fee: {sum}RWF.Balance: {sum}RWF.Dial *182*1*3# and send money abroad *RW#",
    ),
    of(
        "sent, no prefix",
        MTN,
        Direction::Out,
        "{amount} RWF transferred to {someone} ({number}) at {time} .Fee: {sum}RWF.Balance: {sum}RWF.",
    ),
    of(
        "paid",
        MTN,
        Direction::Out,
        "TxId: {digits}. Your payment of {amount} RWF to {someone} 12846 has been completed at {time}. Your new balance: {sum} RWF. Fee was {sum} RWF.",
    ),
    of(
        "paid, 2026",
        MTN,
        Direction::Out,
        "TxId:{digits}*S*Your payment of {amount} RWF to {someone} 093012 was completed at {time}.  Balance: {sum} RWF. Fee 0 RWF.*EN#",
    ),
    of(
        "prompt",
        MTN,
        Direction::Out,
        "*164*S*Y'ello, A transaction of {amount} RWF by {someone} was completed at {time}. Balance:{sum} RWF. Fee  0 RWF. FT Id: {digits}. ET Id: K1785321706780441.*EN#",
    ),
    of(
        "electricity",
        MTN,
        Direction::Out,
        "*162*TxId:{digits}*S*Your payment of {amount} RWF to MTN Cash Power with token 12345-67891-12345-67891 has been completed at {time}. Fee was 0 RWF. Your new balance: {sum} RWF . Message: - Electricity units: 14.9kwH.. *EN#",
    ),
    of(
        "mokash",
        MTN,
        Direction::Out,
        "Y'ello. Umaze kubitsa RWF {amount} kuri Mokash kuva kuri konti yawe ya Mobile Money. Ubu ufite RWF {sum} kuri Mokash.Ref {digits}",
    ),
    of(
        "withdrawn",
        MTN,
        Direction::Out,
        "You {someone} (*********037) have via agent: Agent Sonia ({number}), withdrawn {amount} RWF from your mobile money account: 36520001 at {time} and you can now collect your money in cash. Your new balance: {sum} RWF. Fee paid: {sum} RWF. Message from agent: 1. Financial Transaction Id: {digits}.",
    ),
    of(
        "bank transfer",
        MTN,
        Direction::Out,
        "You have transferred {amount} RWF to {someone} ({number}) from your mobile money account 36520001 imbank.bank at {time}. Your new balance:  . Message from sender: . Message to receiver: . Financial Transaction Id: {digits}.",
    ),
    of(
        "airtel sent",
        AIRTEL,
        Direction::Out,
        "SENT.TID {digits}. RWF {amount} to {someone}  {phone}. Fee RWF 0. Bal RWF {sum}.",
    ),
    of(
        "airtel withdrawn",
        AIRTEL,
        Direction::Out,
        "WITHDRAWN. TID {digits}. RWF{amount} with Agent ID: 4324354.Fee RWF {sum}.Bal RWF {sum}.",
    ),
    of(
        "bank debit",
        "BKeBANK",
        Direction::Out,
        "BK: Your account 00040-0123457-01 has been debited with RWF {amount} on {day}. Avail Bal: RWF {sum}.",
    ),
    of("bundle", MTN, Direction::Out, "Yello!Umaze kugura {amount}FRW(750MB) igura {amount} RWF"),
    of(
        "failed",
        MTN,
        Direction::Failed,
        "*143*R*Y'ello, the transaction with amount {amount} RWF for {someone} with message: 12 failed at {time} .Please Contact MobileMoney HelpLine for Assistance.",
    ),
    of(
        "received and failed",
        MTN,
        Direction::Failed,
        "You have received {amount} RWF from {someone} ({phone}). Txn ID: {code}. The transaction failed.",
    ),
    of(
        "reversed",
        MTN,
        Direction::Reversed,
        "*143*S*Your transaction to {someone} ({number}) with {amount} RWF has been reversed at {time}. Your new balance is {sum} RWF.",
    ),
    of(
        "received and reversed",
        MTN,
        Direction::Reversed,
        "You have received {amount} RWF from {someone} ({masked}) at {time}. Balance:{sum} RWF. FT Id: {digits}. This transaction has been reversed.",
    ),
    of(
        "refunded",
        MTN,
        Direction::Refunded,
        "*165*R*Y'ello, {someone} has successfully refunded {amount} RWF to your mobile money account at {time}. Message from refunder: Optional.absent(). Your new balance:{sum} RWF.",
    ),
    of("cancelled", MTN, Direction::Cancelled, "Transaction of {amount} RWF was cancelled at {time}."),
    of(
        "loan",
        MTN,
        Direction::Loan,
        "Y'ello. Wahawe inguzanyo ya RWF {amount} kuri Mokash. Uzishyura RWF {sum}. Ref {digits}",
    ),
    of(
        "promotion",
        MTN,
        Direction::Promotion,
        "Y'ello! Buy airtime of {amount} RWF with MoMo and win {sum} RWF until {day}. Dial *182*2*1#.",
    ),
    of(
        "welcome bonus",
        MTN,
        Direction::Promotion,
        "Amazing! You've received RWF {amount} welcome bonus! Complete your first video to unlock more rewards!",
    ),
    of(
        "shillings",
        MTN,
        Direction::Foreign,
        "You have received UGX {amount} from {someone}, 256791000202 on {time}. Reason: school. Your new balance: UGX {sum}. ID: {digits}.",
    ),
    of(
        "shillings behind",
        MTN,
        Direction::Foreign,
        "You have received {amount} UGX from {someone} (256791000202). Txn ID: {code}",
    ),
    of("dollars", MTN, Direction::Foreign, "You have received {amount} USD from {someone} ({phone}). Txn ID: {code}"),
    of(
        "m-pesa",
        "MPESA",
        Direction::Foreign,
        "SJ12ABC3D1 Confirmed.You have received Ksh{amount}.00 from {someone} 0712000679 on 2/10/26 at 3:45 PM  New M-PESA balance is Ksh{sum}.00.",
    ),
    of(
        "fcfa",
        "OrangeMoney",
        Direction::Foreign,
        "Bonjour, vous avez recu un transfert de {amount}.00 FCFA du 0709000974. Reference PP260529.1509.D16. Nouveau solde {sum}.50 FCFA.",
    ),
    of(
        "id in front",
        MTN,
        Direction::In,
        "Transaction ID: {digits}. You have received {amount} RWF from {name} ({number}) on {time}. Your new balance: {sum} RWF.",
    ),
    of(
        "name behind the number",
        MTN,
        Direction::In,
        "You have received RWF {amount} from {phone} ({name}). Ref: {code}. Balance: RWF {sum}.",
    ),
    of(
        "from the own bank",
        MTN,
        Direction::In,
        "Transaction ID: {digits}. You have received {amount} RWF from your BK Account (****1235) on {time}. Your new balance: {sum} RWF.",
    ),
    of(
        "airtel 151",
        AIRTEL,
        Direction::In,
        "151*Txn ID {code}*R You have received RWF {amount} from {phone} {name}.Your NEW BALANCE is RWF {sum}. *EN#",
    ),
    of(
        "kinyarwanda, id in front",
        MTN,
        Direction::In,
        "Transaction ID: {digits}. Wakiriye {amount} RWF yoherejwe na {name} ({number}) kuwa {time}. Amafaranga asigaye: {sum} RWF.",
    ),
    of(
        "french, id in front",
        MTN,
        Direction::In,
        "Transaction ID: {digits}. Vous avez recu {amount} RWF de {name} ({number}) le {time}. Nouveau solde: {sum} RWF.",
    ),
    of(
        "bpr credit",
        "BPR",
        Direction::In,
        "Dear {someone}, your account 4******948 has been credited RWF {amount}. Ref: {code} on {time} at BPR Bank. Transaction Charge: RWF {sum}. Notification Charge: RWF {sum}. Your balance is RWF {sum}. For inquiry call 250788140000",
    ),
    of(
        "sent, id in front",
        MTN,
        Direction::Out,
        "Transaction ID: {digits}. You have transferred {amount} RWF to {someone} ({number}) on {time}. Your new balance is {sum} RWF. Fee paid: {sum} RWF.",
    ),
    of(
        "kinyarwanda, sent",
        MTN,
        Direction::Out,
        "Transaction ID: {digits}. Wohereje {amount} RWF kuri {someone} ({number}) kuwa {time}. Amafaranga asigaye: {sum} RWF. Ikiguzi: {sum} RWF.",
    ),
    of(
        "kinyarwanda, paid",
        MTN,
        Direction::Out,
        "Transaction ID: {digits}. Wishyuye {amount} RWF kuri {someone} (654322) kuwa {time}. Amafaranga asigaye: {sum} RWF.",
    ),
    of(
        "airtel 165",
        AIRTEL,
        Direction::Out,
        "*165* TID {code}*S* sent to {someone} in MTN. Amt RWF {amount}. Fee RWF {sum}. BAL RWF {sum}. *EN#",
    ),
    of(
        "loan paid back",
        MTN,
        Direction::Out,
        "{amount} RWF has been used to pay your loan at {time}. Your new balance: {sum} RWF. Financial Transaction Id: {digits}",
    ),
    of(
        "from mokash",
        MTN,
        Direction::Out,
        "You have received RWF {amount} from your Mokash account. Ref {digits}. Balance: {sum} RWF.",
    ),
    of(
        "transfer failed",
        MTN,
        Direction::Failed,
        "Your transfer of {amount} RWF to {someone} ({number}) has failed at {time}. Message: . Financial Transaction Id: {digits}.}.",
    ),
];

const NAMES: &[&str] =
    &["JEAN", "Divine", "OLGA", "N'GABO", "MARIE-CLAIRE", "Hélène", "Winnie", "PATIENCE", "Bosco", "D'ARC"];
const FAMILIES: &[&str] =
    &["BIZIMANA", "Mutsinzi", "UWERA", "NSHUTI", "KEZA", "FAILA", "Gatera", "DIALLO", "O'NEIL", "Iragena"];
const COMPANIES: &[&str] = &["INYANGE RWANDA Ltd", "ABAHUJE 2025 COOP", "Umurimo Mwiza Ltd", "IREBE Corp"];
/// What payers write, and hope for.
const NOTES: &[&str] = &[
    "",
    "",
    "",
    "umusanzu",
    "Inzu ukwezi kwa 6",
    "refund of the failed one",
    "cancel it",
    "90,000 RWF",
    "from GASORE (0788111222)",
    "You have received 90000 RWF",
    "amount 5000000",
    "reversed",
    "Your money",
    "UGX 500",
    "Txn 99",
];
/// Behind a text, they look like part of it; `{n}` is the number of the variant, whose own payment it would be.
const LURES: &[&str] = &[
    " You have received 900,000 RWF from PAUL (0788000999). Txn ID: LURE{n}.",
    " Payment of 900,000 RWF received. Ref: LURE{n}",
    " JEAN has sent you 900,000 RWF",
    " Balance: 900,000 RWF. Balance: 1 RWF.",
    " Financial Transaction Id: 9999999{n}. FT Id: 8888888{n}.",
    " Amount: 900,000 RWF",
];
/// In front of a text, they are somebody else's words.
const FRONTS: &[&str] = &["Fwd: ", "FW: ", "Look: ", "He wrote: ", "If ", "\"", "> ", "I sent it: "];
/// Letters that look like others.
const LOOKALIKES: &[(&str, &str)] =
    &[("e", "е"), ("o", "о"), ("a", "а"), ("R", "Ｒ"), ("0", "０"), (" ", " \u{200B}"), (" ", " \u{202E}")];
const PERSONS: &[&str] = &["+250788000955", "0788000955", "250 788 000 955", "0732000955"];

/// Variants number 0 to `count` of a seed. The same seed makes the same texts, but for their times.
pub fn variants(seed: u64, count: usize, now: Timestamp) -> Vec<Variant> {
    (0..count).map(|number| Variant::new(seed, number, now)).collect()
}

impl Variant {
    fn new(seed: u64, number: usize, now: Timestamp) -> Self {
        let mut random = Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(number as u64));
        let structure = &STRUCTURES[number % STRUCTURES.len()];
        let mut variant = filled(structure, &mut random, number, now);
        variant.about = format!("variant {number} of seed {seed}: {}", structure.name);
        variant.spoil(&mut random, number);
        variant
    }

    /// Half of them stay as they are.
    fn spoil(&mut self, random: &mut Rng, number: usize) {
        let how = match random.u8(0..16) {
            0 => {
                self.text = self.text.replacen(' ', "  ", 3);
                "blanks doubled"
            }
            1 => {
                self.text = self.text.replace(' ', "\u{A0}");
                "blanks that do not break"
            }
            2 => {
                self.text = format!("  {}\n", self.text.replacen(". ", ".\n", 1));
                "broken into lines"
            }
            3 => return self.cut(random),
            4 => {
                self.text += &pick(random, LURES).replace("{n}", &format!("{number:04}"));
                self.is_plain = false;
                "a lure behind it"
            }
            5 => {
                self.text = format!("{}{}", pick(random, FRONTS), self.text);
                self.forge();
                "words in front of it"
            }
            6 => {
                self.sender = pick(random, PERSONS).to_owned();
                self.forge();
                "from a person"
            }
            7 => {
                let (letter, by) = LOOKALIKES[random.usize(0..LOOKALIKES.len())];
                self.text = self.text.replacen(letter, by, 1);
                self.is_plain = false;
                if self.text.contains(by) {
                    self.forge();
                }
                "a letter that looks like another"
            }
            8 => {
                self.text = self.text.to_uppercase();
                self.is_plain = false;
                "in capitals"
            }
            _ => return,
        };
        self.about = format!("{}, {how}", self.about);
    }

    /// Not the provider's text any more.
    fn forge(&mut self) {
        self.direction = if self.direction == Direction::In { Direction::Forged } else { self.direction };
        self.fields = Fields::default();
        self.is_plain = false;
    }

    /// Without its end. Where an id of any length is the last word, it stays whole or goes.
    fn cut(&mut self, random: &mut Rng) {
        // Without its end, what was taken back reads as a receipt to anybody.
        if matches!(self.direction, Direction::Failed | Direction::Reversed) {
            return;
        }
        let at = random.usize(1..self.text.chars().count());
        let mut text: String = self.text.chars().take(at).collect();
        let id = self.fields.transaction_id.as_deref().filter(|id| !id.bytes().all(|byte| byte.is_ascii_digit()));
        if let Some(start) = id.and_then(|id| self.text.find(id))
            && (start + 1..self.text.len()).contains(&text.len())
        {
            text.truncate(start);
        }
        self.about = format!("{}, cut off after {at} letters", self.about);
        self.text = text;
        self.is_plain = false;
    }

    /// Which law a transaction of this text would break, if it has these fields.
    pub fn broken_by(&self, booked: &Fields) -> Option<String> {
        if self.direction != Direction::In {
            return Some(format!("what is {:?} never becomes a transaction", self.direction));
        }
        let said = &self.fields;
        for (name, booked, said) in [
            ("amount", &booked.amount, &said.amount),
            ("currency", &booked.currency, &said.currency),
            ("payer's name", &booked.payer_name, &said.payer_name),
            ("payer's number", &booked.payer_phone, &said.payer_phone),
            ("transaction id", &booked.transaction_id, &said.transaction_id),
        ] {
            let Some(booked) = booked else { continue };
            let same = |said: &String| {
                said.eq_ignore_ascii_case(booked)
                    || said.to_uppercase() == booked.to_uppercase()
                    || name == "amount" && said.parse::<f64>().ok() == booked.parse::<f64>().ok()
            };
            if !said.as_ref().is_some_and(same) {
                return Some(format!(
                    "the {name} of a transaction is what the text says: {}, not {booked}",
                    said.as_deref().unwrap_or("nothing")
                ));
            }
        }
        None
    }
}

/// A structure with words of chance in its places.
fn filled(structure: &Structure, random: &mut Rng, number: usize, now: Timestamp) -> Variant {
    let mut fields = Fields { currency: Some("RWF".to_owned()), ..Fields::default() };
    let mut said_at = None;
    let mut text = String::new();
    let mut rest = structure.words;
    let amount = amount(random);
    fields.amount = Some(amount.replace(',', ""));
    let at = now - SignedDuration::from_mins(random.i64(90..400_000));
    let at = at.to_zoned(TimeZone::get(ZONE).unwrap_or(TimeZone::UTC));
    while let Some((before, behind)) = rest.split_once('{') {
        let (place, behind) = behind.split_once('}').unwrap_or((behind, ""));
        text += before;
        rest = behind;
        match place {
            "amount" => text += &amount,
            "sum" => text += &sum(random),
            "note" => text += pick(random, NOTES),
            "name" | "someone" => {
                let name = name(random);
                text += &name;
                fields.payer_name = (place == "name").then_some(name).or(fields.payer_name);
            }
            "phone" | "number" => {
                let (shown, kept) = phone(random, place == "number");
                text += &shown;
                // The number behind somebody who is no payer is nobody's.
                if structure.direction == Direction::In && fields.payer_phone.is_none() && !text.contains("CASH") {
                    fields.payer_phone = Some(kept);
                }
            }
            "masked" => {
                let masked = format!("*********{:03}", random.u16(0..1000));
                text += &masked;
                fields.payer_phone = Some(masked);
            }
            "code" => {
                let code = format!("G{number:05}{}", code(random));
                text += &code;
                fields.transaction_id = Some(code);
            }
            "digits" => {
                let digits = format!("{}{:05}{number:05}", random.u8(1..10), random.u32(0..100_000));
                text += &digits;
                fields.transaction_id = Some(digits);
            }
            "time" => {
                let (shown, second) = time(random, &at);
                text += &shown;
                said_at = Some(second);
            }
            "day" => {
                let _ = write!(text, "{}", at.strftime("%d/%m/%Y %H:%M"));
                said_at = Timestamp::from_second(at.timestamp().as_second().div_euclid(60) * 60).ok();
            }
            other => unreachable!("{other} is no place of {}", structure.name),
        }
    }
    text += rest;
    let is_plain = structure.direction == Direction::In;
    if !is_plain {
        fields = Fields::default();
    }
    let (sender, direction) = (structure.sender.to_owned(), structure.direction);
    Variant { about: String::new(), sender, text, direction, fields, said_at, is_plain }
}

fn amount(random: &mut Rng) -> String {
    let francs = match random.u8(0..4) {
        0 => random.u32(1..1_000),
        1 => random.u32(1_000..100_000),
        2 => random.u32(100_000..1_000_000),
        _ => random.u32(1_000_000..9_999_999),
    };
    let plain = random.bool();
    let mut text = if plain { francs.to_string() } else { separated(francs) };
    if random.u8(0..6) == 0 {
        text += ".00";
    }
    text
}

fn pick(random: &mut Rng, from: &[&'static str]) -> &'static str {
    from[random.usize(0..from.len())]
}

/// A balance or a fee: often nothing.
fn sum(random: &mut Rng) -> String {
    match random.u8(0..4) {
        0 => "0".to_owned(),
        1 => random.u32(1..1_000).to_string(),
        _ => separated(random.u32(1..9_999_999)),
    }
}

fn separated(number: u32) -> String {
    match number / 1000 {
        0 => number.to_string(),
        thousands => format!("{},{:03}", separated(thousands), number % 1000),
    }
}

fn name(random: &mut Rng) -> String {
    if random.u8(0..8) == 0 {
        return pick(random, COMPANIES).to_owned();
    }
    let one = pick(random, NAMES);
    let family = pick(random, FAMILIES);
    match random.u8(0..4) {
        0 => format!("{one} Aime {family}"),
        _ => format!("{one} {family}"),
    }
}

/// As it is shown, and as people write it in the country.
fn phone(random: &mut Rng, international: bool) -> (String, String) {
    let prefix = pick(random, &["78", "79", "72", "73"]);
    let national = format!("0{prefix}{:07}", random.u32(0..10_000_000));
    match international {
        true => (format!("250{}", &national[1..]), national),
        false => (national.clone(), national),
    }
}

fn code(random: &mut Rng) -> String {
    (0..6).map(|_| random.digit(36).to_ascii_uppercase()).collect()
}

/// In one of the forms that are in use, and how exactly that says it.
fn time(random: &mut Rng, at: &Zoned) -> (String, Timestamp) {
    let (form, seconds) = [
        ("%Y-%m-%d %H:%M:%S", 1),
        ("%Y-%m-%d %H:%M:%S", 1),
        ("%d/%m/%Y %H:%M:%S", 1),
        ("%d-%m-%Y %H:%M:%S", 1),
        ("%d/%m/%Y %H:%M", 60),
        ("%d-%B-%Y %H:%M", 60),
        ("%d %b %Y %H:%M", 60),
    ][random.usize(0..7)];
    let second = at.timestamp().as_second();
    let second = Timestamp::from_second(second - second.rem_euclid(seconds)).unwrap_or_default();
    (at.strftime(form).to_string(), second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_texts() {
        let now = Timestamp::now();
        assert_eq!(variants(1, 300, now), variants(1, 300, now));
        assert_ne!(variants(1, 300, now), variants(2, 300, now));
    }

    #[test]
    fn a_law_is_broken_by_what_the_text_does_not_say() {
        let now = Timestamp::now();
        let all = variants(3, 2_000, now);
        let plain = all.iter().find(|variant| variant.is_plain).unwrap();
        assert_eq!(plain.broken_by(&plain.fields), None);
        let more = Fields { amount: Some("900000.00".to_owned()), ..plain.fields.clone() };
        assert!(plain.broken_by(&more).unwrap().contains("amount"));
        let out = all.iter().find(|variant| variant.direction == Direction::Out).unwrap();
        assert!(out.broken_by(&Fields::default()).unwrap().contains("Out"));
        let forged = all.iter().find(|variant| variant.direction == Direction::Forged).unwrap();
        assert!(forged.broken_by(&plain.fields).is_some());
    }
}
