//! Samples of the page: new, refused, with candidates, worst.

use super::*;
use crate::{
    domain::data_centre::DataCentre,
    http::page::{Place, tests},
};

fn page(shell: Shell, tenant: &str, problems: Vec<ImportProblem>) -> ImportPage {
    ImportPage {
        shell,
        slug: "acme-7f3a21".to_owned(),
        tenant: tenant.into(),
        products: Product::ALL.map(|product| (product.key(), product == Product::Desk)).to_vec(),
        data_centres: DataCentre::ALL.map(|place| (place.key(), place == DataCentre::Eu)).to_vec(),
        entered: Entered { minutes: 3, ..Entered::default() },
        code_ends: None,
        problems,
    }
}

impl ImportPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let shell = || Shell::sample(Place::Elsewhere);
        let candidate = |id: &str, name: &str| Candidate { id: id.to_owned(), name: name.into() };
        let several = vec![candidate("77000000", "Zylker"), candidate("77000001", "Zylker Labs")];
        let worst = vec![candidate("9290000000150010007", tests::HOSTILE), candidate("1", tests::ENDLESS)];
        let entered = || Entered {
            scopes: "Desk.tickets.READ".to_owned(),
            organization: "\"><x>".to_owned(),
            organization_name: tests::HOSTILE.to_owned(),
            environment: "sandbox".to_owned(),
            client_id: "1000.SELF".to_owned(),
            minutes: 10,
        };
        vec![
            ("typical", page(shell(), "Acme", Vec::new())),
            (
                "refused",
                Self {
                    entered: entered(),
                    code_ends: Some(tests::moment(140)),
                    ..page(
                        shell(),
                        "Acme",
                        vec![
                            ImportProblem::ProductMissing,
                            ImportProblem::DataCentreMissing,
                            ImportProblem::ScopesMalformed,
                            ImportProblem::CodeMalformed,
                            ImportProblem::ClientIncomplete,
                            ImportProblem::OrganizationMalformed,
                            ImportProblem::EnvironmentUnknown,
                        ],
                    )
                },
            ),
            ("dead-code", page(shell(), "Acme", vec![ImportProblem::DeadCode])),
            ("dead-token", page(shell(), "Acme", vec![ImportProblem::DeadToken])),
            (
                "run-out",
                Self { code_ends: Some(tests::moment(-5)), ..page(shell(), "Acme", vec![ImportProblem::CodeRunOut]) },
            ),
            ("several", page(shell(), "Acme", vec![ImportProblem::SeveralOrganizations(several)])),
            ("throttled", page(shell(), "Acme", vec![ImportProblem::Throttled])),
            (
                "worst",
                Self {
                    entered: entered(),
                    ..page(
                        Shell::worst(Place::Elsewhere),
                        tests::HOSTILE,
                        vec![ImportProblem::AnotherOrganization(worst)],
                    )
                },
            ),
        ]
    }
}
