//! The resources of this service. `openapi.yaml` documents them for clients.

use crate::resource::Handler::Constant;
use crate::resource::{Routes, resource};

pub const ROUTES: Routes = Routes::new(&[
    resource!("/will", Get: Constant(constant!("application/json", "\"Hello World\"\n"))),
    resource!("/ready", Get: Constant(constant!("application/json", "\"It works!\"\n"))),
]);

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde::Deserialize;
    use serde_json::Value;

    use super::*;
    use crate::resource::Resource;

    type Methods = BTreeSet<String>;

    #[derive(Deserialize)]
    struct OpenApi {
        paths: BTreeMap<String, BTreeMap<String, Value>>,
    }

    #[test]
    fn openapi_lists_the_same_resources_with_the_same_methods() {
        let document = include_str!("../openapi.yaml");
        let document: OpenApi = serde_saphyr::from_str(document).unwrap();
        // Of the keys of a path, only `parameters` is not a method here.
        let methods = |keys: BTreeMap<String, Value>| -> Methods {
            let methods = keys.into_keys().map(|key| key.to_uppercase());
            methods.filter(|key| key != "PARAMETERS").collect()
        };
        let documented: BTreeMap<String, Methods> = document
            .paths
            .into_iter()
            .map(|(path, keys)| (path, methods(keys)))
            .collect();
        let allowed = |resource: &Resource| -> Methods {
            let mut headers = resource.options.headers.iter();
            let (_, allow) = headers.find(|(name, _)| *name == "allow").unwrap();
            allow.split(", ").map(str::to_owned).collect()
        };
        let table: BTreeMap<String, Methods> = ROUTES
            .resources
            .iter()
            .map(|resource| (resource.path.to_owned(), allowed(resource)))
            .collect();
        assert_eq!(documented, table);
    }

    #[test]
    fn no_two_resources_have_the_same_path() {
        let paths: BTreeSet<_> = ROUTES.resources.iter().map(|r| r.path).collect();
        assert_eq!(paths.len(), ROUTES.resources.len());
    }
}
