//! Everything that is guessed from names, in one place: what columns, tables, roles, functions and buckets are called by
//! those who make them. A guess only decides what is worth trying or how a row is filled; whether something crosses is
//! seen, never guessed. Where a guess is wrong, `[tenancy]` overrules it.

use std::sync::LazyLock;

use regex::Regex;

fn has_any(name: &str, words: &[&str]) -> bool {
    words.iter().any(|word| name.contains(word))
}

/// A name as most schemas write it: `userId` is `user_id`.
pub fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 2);
    let mut was_lower = false;
    for c in name.chars() {
        if c.is_uppercase() && was_lower {
            snake.push('_');
        }
        was_lower = c.is_lowercase() || c.is_ascii_digit();
        snake.extend(c.to_lowercase());
    }
    snake
}

/// Columns with the id of the user that a row belongs to, the surest first.
const OWNERS: [&str; 8] =
    ["user_id", "owner_id", "author_id", "profile_id", "owner", "author", "created_by", "uploaded_by"];

/// Whether a foreign key to users in such a column says whose the row is.
pub fn is_owner(column: &str) -> bool {
    OWNERS.contains(&snake(column).as_str())
}

/// Whether a column of ids says so without a foreign key.
pub fn is_surely_owner(column: &str) -> bool {
    OWNERS[..4].contains(&snake(column).as_str())
}

/// Whether a column says who wrote a row, which need not be whose it is.
pub fn is_author(column: &str) -> bool {
    let name = snake(column);
    name.ends_with("_by") || name.starts_with("author") || name.starts_with("creator")
}

/// Whether a column says whose a row is first of all, among several that refer to users.
pub fn is_first_owner(column: &str) -> bool {
    has_any(&snake(column), &["owner", "user", "author"])
}

/// How likely a column with a user's id says who is a member, and not who did something.
pub fn user_fit(column: &str) -> u8 {
    match snake(column).as_str() {
        "user_id" | "user" | "uid" | "member_id" | "profile_id" | "person_id" => 2,
        name if name.ends_with("_by") => 0,
        _ => 1,
    }
}

/// Whether an argument asks for a user.
pub fn is_user_argument(name: &str) -> bool {
    matches!(
        name,
        "user_id"
            | "user"
            | "profile_id"
            | "uid"
            | "owner_id"
            | "account_id"
            | "person_id"
            | "actor_user_id"
            | "actor_id"
            | "recipient_id"
    ) || name.split('_').any(|word| matches!(word, "user" | "friend" | "recipient" | "receiver"))
}

/// Who sent an invitation.
pub const INVITER: &str = "invited_by";

/// Whether a state is that nobody has answered yet.
pub fn is_waiting(state: &str) -> bool {
    matches!(state.to_lowercase().as_str(), "pending" | "open" | "sent" | "invited" | "waiting" | "new")
}

/// Whether a time is that until which something may be answered.
pub fn is_last_day(column: &str) -> bool {
    has_any(&snake(column), &["expir", "valid_until", "valid_to"])
}

/// Whether a time is that at which somebody answered, or took it back.
pub fn is_answer(column: &str) -> bool {
    let answers =
        ["accepted", "declined", "rejected", "revoked", "cancelled", "canceled", "used", "redeemed", "consumed"];
    has_any(&snake(column), &answers)
}

/// Whether a state, or the time of it, is that of something that was taken back.
pub fn is_taken_back(name: &str) -> bool {
    has_any(&snake(name), &["revoked", "cancelled", "canceled", "withdrawn"])
}

/// Whether a table holds invitations.
pub fn is_invitations(table: &str) -> bool {
    table.contains("invit")
}

/// Whether a table's name says that it places users in tenants: `team_members`, `account_user`, `staff`.
pub fn is_members_table(table: &str) -> bool {
    let table = snake(table);
    let last = singular(table.rsplit('_').next().unwrap_or(&table));
    last == "user" || has_any(&table, &["member", "profile", "staff", "employee"])
}

/// Whether a table's name says that its rows make users more than others: `user_roles`, `admins`.
pub fn is_privileges_table(table: &str) -> bool {
    let is_one = |word: &str| {
        matches!(word, "role" | "admin" | "administrator" | "moderator" | "superuser" | "privilege" | "permission")
    };
    let table = snake(table);
    !is_invitations(&table) && table.split('_').any(|word| is_one(&singular(word)))
}

/// Whether a table lists nobody but those who look after others: `admin_users`.
pub fn is_of_admins(table: &str) -> bool {
    let table = snake(table.rsplit('.').next().unwrap_or(table));
    table
        .split('_')
        .any(|word| matches!(singular(word).as_str(), "admin" | "administrator" | "moderator" | "superuser"))
}

/// The roles for which a policy is named: `Admins can edit prices`. What is said of owners may be said of a row's own.
pub fn promised_roles(policy: &str, roles: &[String]) -> Vec<String> {
    const OTHERS: [&str; 20] = [
        "all",
        "anyone",
        "assignee",
        "authenticated",
        "author",
        "creator",
        "everybody",
        "everyone",
        "holder",
        "member",
        "own",
        "participant",
        "self",
        "sender",
        "staff",
        "team",
        "their",
        "uploader",
        "user",
        "writer",
    ];
    let words: Vec<_> = policy.to_lowercase().split(|c: char| !c.is_alphanumeric() && c != '_').map(singular).collect();
    let words: Vec<_> = words.iter().flat_map(|word| word.split('_').map(singular).chain([word.clone()])).collect();
    if words.iter().any(|word| OTHERS.contains(&word.as_str())) {
        return Vec::new();
    }
    let named: Vec<_> = roles.iter().filter(|role| words.contains(&role.to_lowercase())).cloned().collect();
    if named.iter().all(|role| role.eq_ignore_ascii_case("owner")) { Vec::new() } else { named }
}

/// Whether a role is what everybody has who has an account.
pub fn is_plain_role(role: &str) -> bool {
    const PLAIN: [&str; 14] = [
        "user",
        "member",
        "customer",
        "client",
        "student",
        "patient",
        "guest",
        "viewer",
        "reader",
        "buyer",
        "basic",
        "free",
        "default",
        "authenticated",
    ];
    PLAIN.contains(&role.to_lowercase().as_str())
}

/// Whether a role is one side of what people do with each other, and no office above them.
pub fn is_taking_part(role: &str) -> bool {
    const SIDES: [&str; 38] = [
        "seller",
        "vendor",
        "merchant",
        "buyer",
        "driver",
        "rider",
        "courier",
        "host",
        "landlord",
        "tenant",
        "renter",
        "freelancer",
        "employer",
        "candidate",
        "applicant",
        "recruiter",
        "creator",
        "artist",
        "fan",
        "subscriber",
        "parent",
        "provider",
        "tutor",
        "mentor",
        "mentee",
        "farmer",
        "supplier",
        "donor",
        "volunteer",
        "organizer",
        "brand",
        "influencer",
        "contractor",
        "homeowner",
        "restaurant",
        "shop",
        "agent",
        "business",
    ];
    let role = role.to_lowercase();
    is_plain_role(&role) || role.split(['_', '-', ' ']).any(|word| SIDES.contains(&word)) && !has_any(&role, &["admin"])
}

/// Whether a name says that something is for everybody.
pub fn says_public(name: &str) -> bool {
    let name = name.to_lowercase();
    let is_for_all = [
        "select_all",
        "read_all",
        "view_all",
        "select all",
        "read all",
        "view all",
        "see all",
        "authenticated users can",
    ];
    // All of somebody's, or for those who are more than others, is not for all.
    let is_for_some =
        ["admin", "staff", "moderator", "manager", "owner", "member", "service", "own ", "their ", "team", "colleague"];
    has_any(&name, &is_for_all) && !has_any(&name, &is_for_some)
        || has_any(
            &name,
            &[
                "public",
                "everyone",
                "everybody",
                "anyone",
                "anybody",
                "published",
                "to all",
                "all users can",
                "all can",
                "contact form",
            ],
        )
}

/// Whether a policy's name says that there are rows which all tenants share.
pub fn says_shared(name: &str) -> bool {
    let name = name.to_lowercase();
    says_public(&name) || has_any(&name, &["global", "template", "system", "default", "built-in", "shared"])
}

/// Whether a role is one of those who run a project.
pub fn is_office(role: &str) -> bool {
    has_any(&role.to_lowercase(), &["admin", "moderator", "support", "operator", "super"])
}

/// Whether a name says that something is for everybody who has an account.
pub fn says_for_accounts(name: &str) -> bool {
    let name = name.to_lowercase().replace('_', " ");
    let is_for_accounts = [
        "by authenticated",
        "to authenticated",
        "for authenticated",
        "authenticated can",
        "authenticated read",
        "any authenticated",
        "all authenticated",
        "logged in",
        "logged-in",
        "signed in",
        "signed-in",
        "by all users",
        "any user",
    ];
    has_any(&name, &is_for_accounts) && !has_any(&name, &["own ", "their ", "admin", "staff", "member of"])
}

/// Whether a column says that its row is for everybody.
pub fn is_publishing(column: &str) -> bool {
    has_any(&column.to_lowercase(), &["publish", "public", "visib", "listed", "sharing", "shared"])
}

/// Whether a column has a state that people decide, in which a row may be for everybody.
pub fn is_approving(column: &str) -> bool {
    let name = snake(column);
    let flag = name.strip_prefix("is_").unwrap_or(&name);
    has_any(&name, &["approved", "active", "status"])
        || matches!(flag, "open" | "live" | "hidden" | "draft" | "archived" | "enabled" | "available" | "deleted")
}

/// Whether a table is one that things are written down in, which everybody's actions do.
pub fn is_log(table: &str) -> bool {
    has_any(table, &["log", "audit", "event", "history", "trail", "activity"])
}

/// What entries of a record are called.
const ENTRIES: [&str; 8] = ["log", "trail", "event", "entr", "histor", "record", "transaction", "posting"];

/// Whether a table holds what was done, so that it can be held against those who did it: an audit log, a ledger's entries.
pub fn is_trail(table: &str) -> bool {
    is_audit(table) || table.contains("ledger") && (table == "ledger" || has_any(&snake(table), &ENTRIES))
}

/// Whether a column says who did something.
pub fn is_doer(column: &str) -> bool {
    matches!(
        snake(column).as_str(),
        "actor_id" | "user_id" | "actor" | "performed_by" | "changed_by" | "created_by" | "done_by"
    )
}

/// Whether a table is an audit log.
pub fn is_audit(table: &str) -> bool {
    let table = snake(table);
    table == "audit" || table.contains("audit") && has_any(&table, &ENTRIES)
}

/// Whether a table is one that somebody is told things in, which whoever deals with them brings about.
pub fn is_inbox(table: &str) -> bool {
    has_any(&snake(table), &["notification", "inbox", "feed"])
}

/// Whether a column has a name that everybody sees, and that can be but one's in the whole project.
pub fn is_public_name(column: &str) -> bool {
    matches!(snake(column).as_str(), "slug" | "handle" | "username" | "subdomain" | "domain" | "nickname")
}

/// Whether people are looked for by a column.
pub fn finds_people(column: &str) -> bool {
    has_any(&snake(column), &["phone", "msisdn", "email", "username", "handle", "national_id"])
}

/// Whether a column says when something ends: `expires_at`, `closes_at`, `valid_until`.
pub fn is_deadline(column: &str) -> bool {
    let is_one = |word: &str| {
        matches!(word, "expires" | "expiry" | "closes" | "closing" | "ends" | "end" | "until" | "deadline" | "lapses")
    };
    snake(column).split('_').any(is_one)
}

/// Whether a column of a membership is its role.
pub fn is_role_column(column: &str) -> bool {
    let column = snake(column);
    ["role", "role_id", "access", "access_level", "level", "permission"].contains(&column.as_str())
        || column.ends_with("_role")
}

/// Columns that say what a newcomer may do, whatever their type.
pub fn is_telling(column: &str) -> bool {
    ["role", "is_admin"].contains(&column)
}

/// Flags that make somebody more than others.
pub fn is_raising_flag(column: &str) -> bool {
    ["is_admin", "is_staff", "is_superuser", "is_super_admin", "is_moderator", "admin", "staff", "is_platform_admin"]
        .contains(&snake(column).as_str())
}

/// Whether a number is what somebody has to their credit.
pub fn is_credit(column: &str) -> bool {
    let name = snake(column);
    ["balance", "credits", "coins", "points"].iter().any(|word| name.rsplit('_').next() == Some(word))
        && !has_any(&name, &["opening", "initial", "start", "target", "goal"])
}

/// What somebody may claim of themselves when they sign up, where a flag is asked.
pub const CLAIMED_FLAGS: [&str; 5] = ["is_admin", "is_super_admin", "admin", "is_staff", "staff"];

/// What a tenant is called in tokens and metadata.
pub const CLAIMED_TENANTS: [&str; 3] = ["tenant_id", "organization_id", "org_id"];

/// Headers by which a request may say whose it is.
pub const TENANT_HEADERS: [&str; 3] = ["x-tenant-id", "x-organization-id", "x-org-id"];

/// Whether every token has such a claim, which says nothing of tenants.
pub fn is_standard_claim(name: &str) -> bool {
    const STANDARD: [&str; 16] = [
        "sub",
        "role",
        "email",
        "phone",
        "aud",
        "exp",
        "iat",
        "iss",
        "aal",
        "amr",
        "session_id",
        "is_anonymous",
        "app_metadata",
        "user_metadata",
        "user_id",
        "client_id",
    ];
    STANDARD.contains(&name)
}

/// Whether a claim names the tenant.
pub fn is_tenant_claim(name: &str) -> bool {
    name.ends_with("_id") || has_any(name, &["tenant", "org"])
}

/// Whether a claim says that it names a tenant, whatever the tenants' table calls them.
pub fn says_tenant(claim: &str) -> bool {
    has_any(claim, &["tenant", "org", "company", "team", "workspace", "account", "club"])
}

/// Whether a claim names the role.
pub fn is_role_claim(name: &str) -> bool {
    name.contains("role")
}

/// Roles that may see and change everything.
pub const PLATFORM_ROLES: [&str; 5] = ["platform", "super", "system", "global", "root"];

/// Roles that may change nothing.
pub const READER_ROLES: [&str; 5] = ["audit", "view", "read", "guest", "observ"];

/// How much a role may do by its name; the highest is 0, a reader is [`LOWEST_RANK`].
pub fn rank(role: &str) -> usize {
    const RANKS: [&[&str]; LOWEST_RANK - 1] = [
        &PLATFORM_ROLES,
        &["owner", "founder"],
        &["admin", "director", "principal", "president", "chair"],
        &["manager", "lead", "supervisor", "treasurer"],
    ];
    let lower = role.to_lowercase();
    RANKS.iter().position(|words| has_any(&lower, words)).unwrap_or(RANKS.len())
}

/// The rank of those who may change nothing.
pub const LOWEST_RANK: usize = 5;

/// Whether a role's name has one of these words in it.
pub fn is_role_of(role: &str, words: &[&str]) -> bool {
    has_any(&role.to_lowercase(), words)
}

/// States in which something is over, or has not begun, the likeliest first.
pub const DEAD: [&str; 16] = [
    "SUSPENDED",
    "INACTIVE",
    "DEACTIVATED",
    "DISABLED",
    "REMOVED",
    "BANNED",
    "BLOCKED",
    "CLOSED",
    "ARCHIVED",
    "REVOKED",
    "LEFT",
    "DELETED",
    "INVITED",
    "PENDING",
    "REJECTED",
    "DECLINED",
];

/// Whether a state is that of somebody who is gone, and not only kept out for a while.
pub fn is_left_behind(state: &str) -> bool {
    matches!(state.to_lowercase().as_str(), "left" | "removed" | "deleted" | "archived" | "revoked")
}

/// States in which it is not, the likeliest first.
pub const LIVING: [&str; 6] = ["active", "accepted", "approved", "confirmed", "verified", "joined"];

/// Whether a boolean column says that something is not over.
pub fn is_living_flag(column: &str) -> bool {
    let flags = ["active", "enabled", "accepted", "approved", "confirmed"];
    flags.contains(&column.strip_prefix("is_").unwrap_or(column))
}

/// Whether a column holds the time at which something was over.
pub fn is_end(column: &str) -> bool {
    const OVER: [&str; 16] = [
        "deleted",
        "removed",
        "deactivated",
        "suspended",
        "revoked",
        "disabled",
        "ended",
        "left",
        "closed",
        "archived",
        "terminated",
        "resigned",
        "expelled",
        "banned",
        "blocked",
        "dismissed",
    ];
    let name = snake(column);
    name.strip_suffix("_at").is_some_and(|what| OVER.contains(&what))
}

/// Whether a column holds a state.
pub fn is_state(column: &str) -> bool {
    matches!(column, "status" | "state" | "standing")
}

/// Whether a column holds a time that says nothing of a state.
pub fn is_beginning(column: &str) -> bool {
    matches!(column, "created_at" | "updated_at" | "joined_at")
}

/// Whether a column's name says that what is in it must not be known.
pub fn is_secret(column: &str) -> bool {
    let name = column.to_lowercase();
    let is_named = has_any(
        &name,
        &[
            "secret",
            "password",
            "passwd",
            "api_key",
            "apikey",
            "private_key",
            "access_token",
            "refresh_token",
            "api_token",
            "key_hash",
            "token_hash",
        ],
    );
    (is_named || name == "token" || name.ends_with("_token_value"))
        && !["_at", "_set", "_count", "_id", "_name"].iter().any(|end| name.ends_with(end))
        && !name.starts_with("has_")
}

/// Whether a flag says that somebody looked at a row and let it through, who is not whose it is.
pub fn is_seal(column: &str) -> bool {
    let name = snake(column);
    let name = name.strip_prefix("is_").unwrap_or(&name);
    matches!(name, "approved" | "verified" | "featured" | "moderated" | "certified")
}

/// Whether a flag says so whoever asks for it.
pub fn is_sure_seal(column: &str) -> bool {
    matches!(snake(column).as_str(), "is_verified" | "verified" | "is_certified")
}

/// Whether a column says what the platform gives a tenant: what it has paid for, and that somebody has looked at it.
pub fn is_given_by_platform(column: &str) -> bool {
    let name = snake(column);
    let is_given = has_any(&name, &["credit_limit", "subscription_status", "subscription_plan", "subscription_tier"]);
    is_given || is_sure_seal(&name) || matches!(name.as_str(), "plan" | "tier" | "verified_at")
}

/// Whether a text column holds what somebody wrote.
pub fn holds_words(column: &str) -> bool {
    let name = snake(column);
    has_any(&name, &["body", "content", "message", "text", "comment", "caption"])
}

/// Whether a flag says that its row is published.
pub fn is_published_flag(column: &str) -> bool {
    let name = snake(column);
    let name = name.strip_prefix("is_").unwrap_or(&name);
    matches!(name, "public" | "published")
}

/// Whether a time is that at which its row is published.
pub fn is_published_at(column: &str) -> bool {
    matches!(snake(column).as_str(), "published_at" | "publish_at" | "published_on")
}

/// Whether whoever knows a code of such a table has what it stands for.
pub fn is_redeemed(table: &str) -> bool {
    has_any(&snake(table), &["coupon", "voucher", "promo", "gift", "discount", "referral"])
}

/// Whether whoever knows what is in a column is let in by it.
pub fn lets_in(column: &str) -> bool {
    let name = snake(column);
    let is_code = name.ends_with("code") && has_any(&name, &["invit", "join", "access", "share", "entry", "pass"]);
    is_code || name.ends_with("token") || matches!(name.as_str(), "pin" | "pin_code")
}

/// Whether those who manage a secret need to read it: nobody needs to read a token that is sent to somebody, a hash, or
/// another's second factor.
pub fn is_for_managers(secret: &str) -> bool {
    secret != "token" && !has_any(secret, &["hash", "totp", "password"])
}

/// Whether a bucket's name says that its files are for everybody.
pub fn is_public_bucket(bucket: &str) -> bool {
    has_any(
        &bucket.to_lowercase(),
        &["public", "avatar", "logo", "image", "photo", "cover", "asset", "banner", "thumbnail", "icon"],
    )
}

/// What a function's code calls by which it may reach outside the transaction. What `pg_net` and `notify` send, they send
/// when a transaction is committed.
pub fn reach_outside(code: &str) -> Option<String> {
    static OUTSIDE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)\b(dblink\w*|http(?:_get|_post|_put|_patch|_delete|_head)?|pg_read_file|pg_read_binary_file|pg_ls_dir|lo_import|lo_export)\s*\(|\b(copy)\s+[\w.(]",
        )
        .expect("a pattern")
    });
    let code = crate::sql::code_of(code);
    // What is sent on commit is never sent.
    let code = code.replace("net.http_", "net.sent_");
    let found = OUTSIDE.captures(&code)?;
    Some(found.get(1).or(found.get(2))?.as_str().to_lowercase())
}

/// An argument's name without what people put before it.
pub fn bare(name: &str) -> String {
    let name = name.to_lowercase();
    let cut = ["p_", "_", "in_", "arg_", "v_", "i_", "new_", "target_", "from_", "to_", "source_"];
    let mut rest = name.as_str();
    for prefix in cut {
        if let Some(cut) = rest.strip_prefix(prefix)
            && !cut.is_empty()
        {
            rest = cut;
        }
    }
    rest.to_owned()
}

/// One of what a name is the plural of.
pub fn singular(name: &str) -> String {
    name.strip_suffix("ies")
        .map(|stem| format!("{stem}y"))
        .or_else(|| name.strip_suffix('s').map(str::to_owned))
        .unwrap_or_else(|| name.to_owned())
}

/// Whether a text argument is a column's name.
pub fn names_a_column(argument: &str) -> bool {
    matches!(argument, "field" | "column" | "col" | "field_name" | "column_name")
}

/// Whether a function's name says that it answers with a secret.
pub fn promises_a_secret(function: &str) -> bool {
    has_any(&function.to_lowercase(), &["secret", "token", "password", "_key", "apikey", "credential"])
}

/// Whether a text looks like a key: one word, long, and of many different characters.
pub fn looks_like_a_key(text: &str) -> bool {
    let letters: std::collections::BTreeSet<_> = text.chars().collect();
    text.len() >= 16 && !text.contains(char::is_whitespace) && letters.len() >= 9
}

/// Whether a column's name says that it is about a person, or opens something.
pub fn is_personal(column: &str) -> bool {
    is_secret(column)
        || lets_in(column)
        || has_any(
            &column.to_lowercase(),
            &[
                "phone",
                "email",
                "national_id",
                "passport",
                "birth",
                "iban",
                "ssn",
                "salary",
                "income",
                "otp",
                "pin_code",
            ],
        )
}

/// Whether a column holds what colleagues do not tell each other.
pub fn is_confidential(column: &str) -> bool {
    let name = column.to_lowercase();
    let is_named = has_any(
        &name,
        &[
            "iban",
            "salary",
            "wage",
            "hourly_cost",
            "national_id",
            "passport",
            "ssn",
            "bank_account",
            "tax_id",
            "net_pay",
        ],
    );
    is_named && !["_at", "_set", "_count", "_verified"].iter().any(|end| name.ends_with(end))
}

/// Whether a policy of files asks whose they are, and not only in which bucket.
pub fn asks_whose_file(policy: &str) -> bool {
    has_any(policy, &["auth.", "name", "owner", "SELECT", "path_tokens", "()"])
}

/// A name with its article.
pub fn with_article(name: &str) -> String {
    let article = if name.to_lowercase().starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {name}")
}

/// Whether an argument is a year.
pub fn is_year(argument: &str) -> bool {
    argument.split('_').any(|word| word == "year")
}

/// A number for an argument.
pub fn number_for(argument: &str) -> &'static str {
    match argument {
        _ if argument.contains("offset") => "0",
        _ if has_any(argument, &["size", "limit", "days"]) => "100",
        _ => "1",
    }
}

/// Whether an argument is where a range begins, or ends.
pub fn is_range_begin(argument: &str) -> bool {
    has_any(argument, &["from", "start", "since", "begin", "after"])
}

/// See [`is_range_begin`].
pub fn is_range_end(argument: &str) -> bool {
    has_any(argument, &["to", "end", "until", "before"])
}

/// A text for an argument that is about no row.
pub fn text_for(argument: &str) -> &'static str {
    match argument {
        "q" => "",
        _ if has_any(argument, &["search", "query", "term"]) => "",
        _ if argument.contains("currency") => "RWF",
        _ => "probe",
    }
}

/// Whether a key of a JSON argument holds a number.
pub fn is_number_key(key: &str) -> bool {
    has_any(key, &["amount", "total", "price", "quantity", "count", "position"])
}

/// Whether a key of a JSON argument holds a time.
pub fn is_time_key(key: &str) -> bool {
    key.ends_with("_at") || key.contains("date")
}

/// What a text column is filled with by its name, the likeliest first; `slug` and `digits` tell rows apart.
pub fn texts_for(column: &str, slug: &str, digits: u64) -> Vec<String> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    match column {
        _ if column.contains("email") => vec![email_of(slug)],
        _ if has_any(column, &["phone", "msisdn"]) => vec![phone_of(digits), "0788123456".to_owned()],
        _ if has_any(column, &["url", "website"]) => texts(&["https://example.com/a"]),
        _ if column.contains("currency") => texts(&["RWF", "USD"]),
        _ if column.contains("country") => texts(&["RW", "RWA"]),
        _ if has_any(column, &["color", "colour"]) => texts(&["#aabbcc"]),
        _ if has_any(column, &["slug", "handle", "username"]) => vec![slug.to_owned()],
        _ if column.contains("code") => vec![code_of(digits)],
        _ if has_any(column, &["timezone", "time_zone"]) => texts(&["Africa/Kigali"]),
        _ if has_any(column, &["locale", "lang"]) => texts(&["en"]),
        _ => Vec::new(),
    }
}

/// An address that tells rows apart.
pub fn email_of(slug: &str) -> String {
    format!("{slug}@example.com")
}

/// A number that tells rows apart.
pub fn phone_of(digits: u64) -> String {
    format!("+25078{digits:07}")
}

/// A code that tells rows apart.
pub fn code_of(digits: u64) -> String {
    format!("C{digits}")
}
