//! temporary
#![allow(warnings, clippy::all, clippy::pedantic)]
use std::{sync::Arc, time::Instant};
use chrono::{DateTime, TimeDelta, Utc};
use todo_backend::store::{Profile, Store, postgres, sqlite};
use todo_domain::{query::*, task::*};
use uuid::Uuid;
struct R(u64);
impl R { fn n(&mut self)->u64{ self.0=self.0.wrapping_add(0x9e37_79b9_7f4a_7c15); let mut m=self.0; m=(m^(m>>30)).wrapping_mul(0xbf58_476d_1ce4_e5b9); m=(m^(m>>27)).wrapping_mul(0x94d0_49bb_1331_11eb); m^(m>>31)} fn b(&mut self,n:u64)->u64{self.n()%n} }
fn at(s:i64)->DateTime<Utc>{ "2026-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap()+TimeDelta::seconds(s)}
const SYL:[&str;24]=["ka","to","mi","re","su","lo","ne","pa","bri","sta","er","ing","on","al","ver","men","dor","fel","gar","hin","wes","tur","pol","cho"];
fn word(r:&mut R)->String{ (0..2+r.b(3)).map(|_|SYL[r.b(24) as usize]).collect() }
async fn run(name:&str, store: Arc<dyn Store>, analyze: impl Fn()) {
    let n: i64 = 100_000;
    let owner=Uuid::from_u128(7);
    let mut tx=store.begin().await.unwrap();
    tx.add_profile(&Profile{id:owner,email:"a@b.c".into(),password_hash:"x".into(),display_name:"x".into(),time_zone:"UTC".into(),created_at:at(0),disabled_at:None}).await.unwrap();
    tx.commit().await.unwrap();
    let mut r=R(1);
    let words:Vec<String>=(0..3000).map(|_|word(&mut r)).collect();
    let t=Instant::now();
    for chunk in 0..20 {
        let mut tx=store.begin().await.unwrap();
        for i in 0..5000i64 { let k=chunk*5000+i;
            let mut w=|c:u64,r:&mut R|->String{(0..c).map(|_|words[r.b(3000) as usize].as_str()).collect::<Vec<_>>().join(" ")};
            let mut title=w(4,&mut r); if k%100==3 {title.push_str(" quixz");} 
            let mut desc=w(15,&mut r); if k%100==57 {desc.push_str(" jazz 7q");}
            let status= if k%100==5 {Status::InProgress} else if k%3==0 {Status::Completed} else {Status::Pending};
            let task=Task{id:Uuid::from_u64_pair(k as u64, r.n()),user_id:owner,title,description:desc,status,priority:*[Priority::High,Priority::Medium,Priority::Low].get(r.b(3) as usize).unwrap(),tags: vec![format!("tag{}",r.b(100)),"home".into()],due:(k%2==0).then(||at(r.b(10_000_000) as i64)),due_all_day:false,reminders:vec![],recurrence:None,created_at:at(k),updated_at:at(k+r.b(1000) as i64),completed_at:None,revision:k,content_revision:k,source_task_id:None};
            assert!(tx.insert_task(&task,None).await.unwrap());
        }
        tx.commit().await.unwrap();
    }
    println!("{name}: insert 100k {:?}", t.elapsed());
    for round in ["fresh","analyzed"] {
    if round=="analyzed" { analyze(); }
    let f=|s:&str|Filter{search:Some(s.into()),..Filter::default()};
    let q=|filter:Filter,sort,order|Query{filter,sort,order,limit:50,offset:0,after:None};
    let d=Filter::default();
    let mut cases:Vec<(String,Query)>=vec![];
    for (s,o) in [(SortKey::CreatedAt,Order::Desc),(SortKey::DueDate,Order::Asc),(SortKey::Title,Order::Asc),(SortKey::Priority,Order::Asc)] { cases.push((format!("list {s} {o}"),q(d.clone(),s,o))); }
    for st in [Status::Pending,Status::InProgress] { for (s,o) in [(SortKey::CreatedAt,Order::Desc),(SortKey::DueDate,Order::Asc)] { cases.push((format!("list {st} {s}"),q(Filter{statuses:vec![st],..d.clone()},s,o))); } }
    cases.push(("list open 2 statuses created".into(), q(Filter{statuses:vec![Status::Pending,Status::InProgress],..d.clone()},SortKey::CreatedAt,Order::Desc)));
    cases.push(("list tag1% created".into(), q(Filter{tags:vec!["tag42".into()],..d.clone()},SortKey::CreatedAt,Order::Desc)));
    cases.push(("list tag none created".into(), q(Filter{tags:vec!["nope".into()],..d.clone()},SortKey::CreatedAt,Order::Desc)));
    cases.push(("list due_before/after title".into(), q(Filter{due_before:Some(at(2000000)),due_after:Some(at(1990000)),..d.clone()},SortKey::Title,Order::Asc)));
    for term in ["quixz","jazz","jazz 7q","zzz9","uix"," jazz 7","sta","ver"] { for (s,o) in [(SortKey::CreatedAt,Order::Desc),(SortKey::Title,Order::Asc)] { cases.push((format!("search {term:?} {s}"),q(f(term),s,o))); } }
    for term in ["7q","q7","ka","7"] { cases.push((format!("search {term:?} created"),q(f(term),SortKey::CreatedAt,Order::Desc))); }
    for (label,query) in cases {
        let mut times=vec![]; let mut len=0;
        let reps=if label.contains("\"7q\"")||label.contains("q7") {20}else{100};
        for _ in 0..reps { let mut tx=store.read().await.unwrap(); let t=Instant::now(); let (p,_)=tx.list_tasks(owner,&query).await.unwrap(); times.push(t.elapsed()); len=p.len(); }
        times.sort();
        let mut ct=vec![]; let mut c=0;
        for _ in 0..(if reps==20{5}else{20}) { let mut tx=store.read().await.unwrap(); let t=Instant::now(); c=tx.count_tasks(owner,&query.filter).await.unwrap(); ct.push(t.elapsed()); }
        ct.sort();
        println!("{name} {round} {label:36} rows {len:3} p50 {:8.2}ms p99 {:8.2}ms | count {c:6} p50 {:8.2}ms", times[reps/2].as_secs_f64()*1e3, times[reps-1].as_secs_f64()*1e3, ct[ct.len()/2].as_secs_f64()*1e3);
    }
    let mut tx=store.read().await.unwrap();
    let t=Instant::now(); tx.counts(owner,at(5_000_000),at(5_000_000)).await.unwrap(); println!("{name} {round} counts {:?}",t.elapsed());
    let t=Instant::now(); tx.tags(owner).await.unwrap(); println!("{name} {round} tags {:?}",t.elapsed());
    }
}
#[tokio::test(flavor="multi_thread")]
async fn measure_sqlite(){ let d=tempfile::tempdir().unwrap(); let p=d.path().join("x.db"); let s=sqlite::Store::open(&p).await.unwrap(); run("sqlite",Arc::new(s),||{ }).await; println!("size {}",std::fs::metadata(&p).unwrap().len()); }
#[tokio::test(flavor="multi_thread")]
async fn measure_postgres(){ let pg=tokio::task::spawn_blocking(todo_tests::Postgres::start).await.unwrap().unwrap(); let s=postgres::Store::open(&pg.url(),4).await.unwrap(); s.migrate().await.unwrap(); run("postgres",Arc::new(s),||pg.sql("VACUUM ANALYZE")).await; }
