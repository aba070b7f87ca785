use super::*;

/// Objects `a` to `e`; every call is noted.
#[derive(Clone, Default)]
struct Shop {
    calls: Arc<Mutex<Vec<String>>>,
    /// How the call for several ends.
    refusal: Arc<Mutex<Option<Error>>>,
}

impl Shop {
    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    fn note(&self, call: String) {
        self.calls.lock().unwrap().push(call);
    }
}

fn fault(code: &str, status: u16) -> Error {
    Error::Api { action: "Describe", code: code.to_owned(), message: "no".to_owned(), status }
}

impl Ask for Shop {
    type Item = String;

    async fn one(&self, identifier: &str) -> Found<String> {
        self.note(identifier.to_owned());
        match identifier {
            "denied" => Err(fault("AccessDenied", 403)),
            "gone" => Ok(None),
            _ => Ok(Some(identifier.to_uppercase())),
        }
    }

    async fn several(&self, asked: &BTreeSet<String>) -> Result<BTreeMap<String, Result<String, Error>>, Error> {
        self.note(asked.iter().map(String::as_str).collect::<Vec<_>>().join("+"));
        match &*self.refusal.lock().unwrap() {
            Some(refusal) => Err(refusal.clone()),
            None => Ok(asked.iter().filter(|id| *id != "gone").map(|id| (id.clone(), Ok(id.to_uppercase()))).collect()),
        }
    }
}

fn gather(shop: &Shop) -> Arc<Gather<Shop>> {
    Gather::new(shop.clone(), Duration::from_millis(1))
}

fn name(found: Found<String>) -> Option<String> {
    found.unwrap()
}

#[tokio::test]
async fn one_alone_is_asked_for_by_its_identifier_and_several_with_one_call() {
    let shop = Shop::default();
    let gather = gather(&shop);
    assert_eq!(name(gather.find("a").await).as_deref(), Some("A"));
    assert_eq!(shop.calls(), ["a"]);
    let (b, c, again) = tokio::join!(gather.find("b"), gather.find("c"), gather.find("b"));
    assert_eq!([b, c, again].map(name), ["B", "C", "B"].map(|name| Some(name.to_owned())));
    assert_eq!(shop.calls(), ["b+c"]);
    let (a, also) = tokio::join!(gather.find("a"), gather.find("a"));
    assert_eq!((name(a), shop.calls()), (name(also), vec!["a".to_owned()]));
}

#[tokio::test]
async fn who_is_in_a_hurry_joins_a_round_and_begins_none() {
    let shop = Shop::default();
    let gather = gather(&shop);
    assert_eq!(name(gather.find_now("a").await).as_deref(), Some("A"));
    let (_, b) = tokio::join!(gather.find("a"), gather.find_now("b"));
    assert_eq!(name(b).as_deref(), Some("B"));
    assert_eq!(shop.calls(), ["a", "a+b"]);
}

#[tokio::test]
async fn what_is_missing_is_asked_for_by_its_identifier_before_it_counts_as_gone() {
    let shop = Shop::default();
    let gather = gather(&shop);
    let (a, gone) = tokio::join!(gather.find("a"), gather.find("gone"));
    assert_eq!((name(a).as_deref(), name(gone)), (Some("A"), None));
    assert_eq!(shop.calls(), ["a+gone", "gone"]);
}

#[tokio::test]
async fn a_caller_who_may_not_list_asks_one_by_one_for_the_rest_of_the_run() {
    let shop = Shop::default();
    let gather = gather(&shop);
    *shop.refusal.lock().unwrap() = Some(fault("AccessDenied", 403));
    let (a, denied) = tokio::join!(gather.find("a"), gather.find("denied"));
    assert_eq!((name(a).as_deref(), denied.unwrap_err().cause()), (Some("A"), Cause::AccessDenied));
    assert_eq!(shop.calls(), ["a+denied", "a", "denied"]);
    let (a, b) = tokio::join!(gather.find("a"), gather.find("b"));
    assert!(a.is_ok() && b.is_ok());
    assert_eq!(shop.calls(), ["a", "b"]);
}

#[tokio::test]
async fn another_refusal_of_the_shared_call_is_not_remembered() {
    let shop = Shop::default();
    let gather = gather(&shop);
    *shop.refusal.lock().unwrap() = Some(fault("InvalidParameterValue", 400));
    let both = || async { tokio::join!(gather.find("a"), gather.find("b")) };
    assert!(both().await.0.is_ok());
    *shop.refusal.lock().unwrap() = None;
    assert!(both().await.1.is_ok());
    assert_eq!(shop.calls(), ["a+b", "a", "b", "a+b"]);
}

#[tokio::test]
async fn throttling_and_outages_reach_all_who_wait_and_double_no_call() {
    let shop = Shop::default();
    let gather = gather(&shop);
    *shop.refusal.lock().unwrap() = Some(fault("Throttling", 400));
    let (a, b) = tokio::join!(gather.find("a"), gather.find("b"));
    assert_eq!((a.unwrap_err().cause(), b.unwrap_err().cause()), (Cause::Throttled, Cause::Throttled));
    assert_eq!(shop.calls(), ["a+b"]);
}

#[tokio::test]
async fn who_leaves_takes_nobody_along_and_a_round_that_all_have_left_is_not_continued() {
    let shop = Shop::default();
    let gather = gather(&shop);
    let (mut first, mut second) = (Box::pin(gather.find("a")), Box::pin(gather.find("b")));
    assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
    drop(first);
    assert_eq!(name(second.await).as_deref(), Some("B"));
    assert_eq!(shop.calls(), ["a+b"]);
    let mut given_up = Box::pin(gather.find("a"));
    assert!((&mut given_up).now_or_never().is_none());
    drop(given_up);
    assert_eq!(name(gather.find("c").await).as_deref(), Some("C"));
    assert_eq!(shop.calls(), ["c"]);
}
