use insta::assert_snapshot;

use super::*;

fn options(arguments: &[&str]) -> Options {
    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        options: Options,
    }
    let command: Command = clap::Parser::try_parse_from([&["soak"], arguments].concat()).unwrap();
    command.options
}

fn refusal(arguments: &[&str], configured: Target) -> String {
    options(arguments).permitted(|| Ok::<_, Error>(configured)).unwrap_err().to_string()
}

#[test]
fn members_money_is_not_soaked() {
    assert_snapshot!(refusal(&["--target", "production"], Target::Embedded), @"
    a soak sends payments that nobody made, and the ledger of production keeps them
    soak another deployment: --target embedded, --target local or --target staging
    ");
    assert_snapshot!(refusal(&[], Target::Unnamed), @"
    E2E_BASE_URL alone may be production, whose ledger keeps the payments of a soak
    say which deployment it is, --target local or --target staging, or unset E2E_BASE_URL for the embedded portal
    ");
    assert_eq!(refusal(&["--chaos"], Target::Production), refusal(&["--target", "production"], Target::Staging));
}

#[test]
fn only_the_embedded_portal_is_troubled() {
    assert_snapshot!(refusal(&["--chaos", "--target", "staging"], Target::Embedded), @"
    --chaos cuts connections and crashes the database, and staging is not ours to break
    leave --chaos out, or soak the embedded portal: --target embedded
    ");
    let permitted =
        |arguments: &[&str], configured| options(arguments).permitted(|| Ok::<_, Error>(configured)).unwrap();
    assert_eq!(permitted(&["--chaos"], Target::Embedded), Target::Embedded);
    assert_eq!(permitted(&["--target", "staging"], Target::Embedded), Target::Staging);
}

/// All three troubles, and yet nothing is lost and nothing doubled.
#[tokio::test(flavor = "multi_thread")]
async fn every_message_of_a_troubled_soak_is_accounted_for() {
    let options = options(&["--messages", "200", "--rate", "80", "--duplicates", "20%", "--chaos"]);
    let summary = soak(&options, Target::Embedded, Duration::from_millis(300)).await.unwrap();
    assert!(summary.is_good(), "{summary}");
    let (totals, troubles) = (summary.account.totals, summary.troubles.unwrap());
    assert!(troubles.cuts > 0 && troubles.outages > 0 && troubles.crashes > 0, "{summary}");
    assert_eq!((totals.sent, totals.rows, totals.transactions), (200, totals.originals, totals.originals));
    assert!((150..170).contains(&totals.originals), "{summary}");

    let folder = tempfile::tempdir().unwrap();
    let kept = summary.kept();
    assert_eq!((kept.target, kept.messages, kept.ended_early), (Target::Embedded, 200, false));
    assert_eq!((kept.lost, kept.doubled, kept.otherwise_wrong), (0, 0, 0));
    assert!(kept.commit.is_some() && kept.finished > kept.started, "{kept:?}");
    assert!(kept.keep(folder.path()).unwrap().join("soak.json").is_file());
    let page = std::fs::read_to_string(summary.write(folder.path()).unwrap()).unwrap();
    assert!(
        page.contains("passed") && page.contains("<svg") && page.contains("the database agrees row by row"),
        "{page}"
    );
}
