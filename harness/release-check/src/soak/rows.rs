//! What the database has of a soak, read page by page with the service's key: rows of its devices, payments of its
//! institution.

use harness::{Deployment, Tenant};
use serde_json::Value;

use super::account::Book;
use crate::Error;

/// Enters all rows into the book. `devices` are the rows of the devices, in the order of the plan.
///
/// # Errors
/// When the database cannot be read; half an account says nothing.
pub async fn read(
    deployment: &Deployment,
    tenant: &Tenant,
    devices: &[Value],
    book: &mut Book<'_>,
) -> Result<(), Error> {
    let (service, contract) = (deployment.service()?, deployment.contract());
    let (sms, ledger, data) = (contract.sms()?, contract.ledger()?, contract.data()?);
    let raw = &sms.raw;
    let columns = ["id", &raw.text, &raw.status].join(",");
    for (number, device) in devices.iter().enumerate() {
        let query = [("select", columns.as_str()), (&raw.source, &format!("eq.{}", text(device, "id")))];
        let enter = |rows: Vec<Value>| {
            for row in rows {
                book.row(text(&row, &raw.text), text(&row, "id"), number, raw.is(&row, &raw.success));
            }
        };
        service.pages(&raw.table, "id", &query, enter).await.map_err(unread)?;
    }
    let payment = &sms.transaction;
    let columns = [&*payment.transaction_id, &payment.amount, &payment.source].join(",");
    let query = [("select", columns.as_str()), (&data.tenant, &format!("eq.{}", tenant.id))];
    let enter = |rows: Vec<Value>| {
        for row in rows {
            let amount = &row[&payment.amount];
            // PostgREST sends numbers; behind some gateways they are texts.
            let amount = amount.as_f64().or_else(|| amount.as_str()?.parse().ok());
            book.payment(text(&row, &payment.transaction_id), amount, text(&row, &payment.source));
        }
    };
    service.pages(&ledger.table, "id", &query, enter).await.map_err(unread)
}

fn text<'r>(row: &'r Value, column: &str) -> &'r str {
    row[column].as_str().unwrap_or_default()
}

fn unread(error: harness::ClientError) -> Error {
    format!("the messages were sent, and cannot be accounted for: {error}").into()
}
