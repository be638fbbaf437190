//! What has to be true around a release: code freeze, database, variables, functions, build, deployment, the ways back, and
//! the figures of the first hours.
