//! The database server that the other tests build on.

use anyhow::Result;
use atoll_testing::Postgres;

#[tokio::test]
async fn databases_are_separate() -> Result<()> {
    let postgres = Postgres::start().await?;
    let (first, second) = (postgres.create_database().await?, postgres.create_database().await?);
    assert_ne!(first, second);

    let name = |url: &str| url.rsplit('/').next().map(str::to_owned).unwrap();
    postgres
        .run_sql(&name(&first), "CREATE TABLE only_here (value INT)")
        .await?;
    let count = "SELECT count(*) FROM pg_tables WHERE tablename = 'only_here'";
    assert_eq!(postgres.run_sql(&name(&first), count).await?, "1");
    assert_eq!(postgres.run_sql(&name(&second), count).await?, "0");
    Ok(())
}

#[tokio::test]
async fn dropping_the_server_ends_it() -> Result<()> {
    let postgres = Postgres::start().await?;
    let url = postgres.url("postgres");
    let address = url
        .split('@')
        .nth(1)
        .and_then(|rest| rest.split('/').next())
        .unwrap()
        .to_owned();
    tokio::net::TcpStream::connect(&address).await?;
    drop(postgres);
    assert!(tokio::net::TcpStream::connect(&address).await.is_err());
    Ok(())
}
