//! The policies of a server. They change while rankings run: a ranking goes on with the policy that it began with.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::Policy;
use crate::routing::RoutingError;

/// How many policies a server may have.
const POLICY_LIMIT: usize = 256;

/// All policies at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyBook {
    active: String,
    policies: BTreeMap<String, Arc<Policy>>,
}

impl PolicyBook {
    /// Joins policies with the name of the one that ranks where a request names none.
    ///
    /// # Errors
    /// [`RoutingError::Policy`] with every fault.
    pub fn new(active: &str, policies: Vec<Policy>) -> Result<Self, RoutingError> {
        let mut faults = Vec::new();
        if policies.len() > POLICY_LIMIT {
            let problem = format!("{} are more than the limit of {POLICY_LIMIT}", policies.len());
            faults.push(("policies".to_owned(), problem));
        }
        let mut book = Self { active: active.to_owned(), policies: BTreeMap::new() };
        for (index, policy) in policies.into_iter().enumerate() {
            let at = |key: &str| format!("policies[{index}].{key}");
            faults.extend(policy.validate().into_iter().map(|(key, problem)| (at(&key), problem)));
            let name = policy.name.clone();
            if book.policies.insert(name.clone(), Arc::new(policy)).is_some() {
                faults.push((at("name"), format!("\"{name}\" is there twice")));
            }
        }
        if !book.policies.contains_key(active) {
            faults.push(("policy".to_owned(), format!("there is no policy \"{active}\"")));
        }
        if faults.is_empty() { Ok(book) } else { Err(RoutingError::Policy(faults)) }
    }

    /// The name of the policy that ranks where a request names none.
    #[must_use]
    pub fn active(&self) -> &str {
        &self.active
    }

    /// All policies by name.
    #[must_use]
    pub const fn policies(&self) -> &BTreeMap<String, Arc<Policy>> {
        &self.policies
    }
}

impl Default for PolicyBook {
    fn default() -> Self {
        let policy = Policy::default();
        let name = policy.name.clone();
        Self { active: name.clone(), policies: BTreeMap::from([(name, Arc::new(policy))]) }
    }
}

/// Policies that can be changed while they are used. A change makes a new book and swaps it in; whoever holds the old
/// one keeps it.
#[derive(Debug, Default)]
pub struct Policies {
    book: RwLock<Arc<PolicyBook>>,
}

impl From<PolicyBook> for Policies {
    fn from(book: PolicyBook) -> Self {
        Self { book: RwLock::new(Arc::new(book)) }
    }
}

impl Policies {
    /// All policies as they are now.
    #[must_use]
    pub fn book(&self) -> Arc<PolicyBook> {
        Arc::clone(&self.book.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The policy of a name, or the active one.
    ///
    /// # Errors
    /// [`RoutingError::UnknownPolicy`]
    pub fn find(&self, name: Option<&str>) -> Result<Arc<Policy>, RoutingError> {
        let book = self.book();
        let name = name.unwrap_or(&book.active);
        let policy = book.policies.get(name).map(Arc::clone);
        policy.ok_or_else(|| RoutingError::UnknownPolicy(name.to_owned()))
    }

    /// Adds a policy that was checked, or replaces the one of its name; true where there was none.
    ///
    /// # Errors
    /// [`RoutingError::Policy`] where there are too many.
    pub(in crate::routing) fn put(&self, policy: Policy) -> Result<bool, RoutingError> {
        self.change(|book| {
            if !book.policies.contains_key(&policy.name) && book.policies.len() >= POLICY_LIMIT {
                let problem = format!("there are {POLICY_LIMIT} policies already, which is the limit");
                return Err(RoutingError::Policy(vec![("name".to_owned(), problem)]));
            }
            Ok(book.policies.insert(policy.name.clone(), Arc::new(policy)).is_none())
        })
    }

    /// Makes a policy the one that ranks where a request names none.
    ///
    /// # Errors
    /// [`RoutingError::UnknownPolicy`]
    pub fn activate(&self, name: &str) -> Result<(), RoutingError> {
        self.change(|book| {
            if !book.policies.contains_key(name) {
                return Err(RoutingError::UnknownPolicy(name.to_owned()));
            }
            name.clone_into(&mut book.active);
            Ok(())
        })
    }

    /// Takes a policy out.
    ///
    /// # Errors
    /// [`RoutingError::UnknownPolicy`] or [`RoutingError::PolicyInUse`].
    pub fn remove(&self, name: &str) -> Result<(), RoutingError> {
        self.change(|book| {
            if book.active == name {
                return Err(RoutingError::PolicyInUse(name.to_owned()));
            }
            let removed = book.policies.remove(name);
            removed.map(|_| ()).ok_or_else(|| RoutingError::UnknownPolicy(name.to_owned()))
        })
    }

    /// Changes a copy and swaps it in. Changes follow one another, so that none is lost.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut PolicyBook) -> Result<T, RoutingError>,
    ) -> Result<T, RoutingError> {
        let mut current = self.book.write().unwrap_or_else(PoisonError::into_inner);
        let mut book = PolicyBook::clone(&current);
        let changed = change(&mut book)?;
        *current = Arc::new(book);
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Policy {
        Policy { name: name.to_owned(), ..Policy::default() }
    }

    #[test]
    fn a_book_names_all_its_faults() {
        let broken = Policy { name: String::new(), ..Policy::default() };
        let error = PolicyBook::new("night", vec![named("day"), named("day"), broken]).unwrap_err();
        let RoutingError::Policy(faults) = error else { panic!("{error}") };
        let keys: Vec<_> = faults.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["policies[1].name", "policies[2].name", "policy"]);
    }

    #[test]
    fn whoever_holds_a_policy_keeps_it() {
        let policies = Policies::default();
        let held = policies.find(None).unwrap();
        let fallback = super::super::Order::LeastLoaded;
        assert!(!policies.put(Policy { fallback, ..Policy::default() }).unwrap());
        assert_eq!(held.fallback, super::super::Order::LongestIdle);
        assert_eq!(policies.find(Some("default")).unwrap().fallback, fallback);
    }

    #[test]
    fn the_active_one_cannot_be_removed() {
        let policies = Policies::default();
        assert!(policies.put(named("night")).unwrap());
        assert!(matches!(policies.remove("default"), Err(RoutingError::PolicyInUse(_))));
        policies.activate("night").unwrap();
        policies.remove("default").unwrap();
        assert_eq!(policies.find(None).unwrap().name, "night");
        assert!(matches!(policies.find(Some("default")), Err(RoutingError::UnknownPolicy(_))));
        assert!(matches!(policies.activate("default"), Err(RoutingError::UnknownPolicy(_))));
        assert!(matches!(policies.remove("default"), Err(RoutingError::UnknownPolicy(_))));
    }

    #[test]
    fn there_are_only_so_many() {
        let policies = Policies::default();
        for number in 1..POLICY_LIMIT {
            policies.put(named(&number.to_string())).unwrap();
        }
        assert!(matches!(policies.put(named("one-more")), Err(RoutingError::Policy(_))));
        assert!(!policies.put(named("7")).unwrap());
    }
}
