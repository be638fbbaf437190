//! Permission to change a deployment, as what changes one asks for it.

/// The right to change a deployment. Nobody makes one but [`Deployment::writes`](crate::Deployment::writes), inside a
/// [`Writes`](crate::Writes), which stands for it wherever one is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Permission {
    _given: (),
}

impl Permission {
    /// For who has looked at the target's policy.
    pub(crate) fn given() -> Self {
        Self { _given: () }
    }
}
