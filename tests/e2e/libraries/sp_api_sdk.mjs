// `@sp-api-sdk/*`, as a desktop program uses it.
import { FeedsApiClient } from '@sp-api-sdk/feeds-api-2021-06-30'
import { OrdersApiClient } from '@sp-api-sdk/orders-api-v0'
import { ReportsApiClient } from '@sp-api-sdk/reports-api-2021-06-30'
import { download, pause, put, serve, settled } from './stage.mjs'

let beginnings = 0
let connect
async function begin () {
  beginnings += 1
  // Another query, another module: nothing is remembered.
  const settings = await import(`./settings.mjs?${beginnings}`)
  connect = settings.connect
}

await begin()
await serve({
  async list ({ region, marketplaceId, statuses, since }) {
    const asked = { marketplaceIds: [marketplaceId], createdAfter: since, orderStatuses: statuses }
    const { data } = await connect(OrdersApiClient, region).getOrders(asked)
    return data.payload.Orders.map((order) => order.AmazonOrderId)
  },
  async read ({ region, orderId }) {
    return (await connect(OrdersApiClient, region).getOrder({ orderId })).data.payload.AmazonOrderId
  },
  async items ({ region, orderId }) {
    return (await connect(OrdersApiClient, region).getOrderItems({ orderId })).data.payload.OrderItems.length
  },
  async 'read anew' ({ region, orderId }) {
    await begin()
    return (await connect(OrdersApiClient, region).getOrder({ orderId })).data.payload.AmazonOrderId
  },
  async report ({ region, kind, marketplaceId, pauseS }) {
    const reports = connect(ReportsApiClient, region)
    const body = { reportType: kind, marketplaceIds: [marketplaceId] }
    const { data: { reportId } } = await reports.createReport({ body })
    let found = (await reports.getReport({ reportId })).data
    while (found.processingStatus !== 'DONE') {
      await pause(pauseS)
      found = (await reports.getReport({ reportId })).data
    }
    return download((await reports.getReportDocument({ reportDocumentId: found.reportDocumentId })).data)
  },
  async feed ({ region, kind, marketplaceId, content, contentType, pauseS }) {
    const feeds = connect(FeedsApiClient, region)
    const document = (await feeds.createFeedDocument({ body: { contentType } })).data
    await put(document.url, content, contentType)
    const body = { feedType: kind, marketplaceIds: [marketplaceId], inputFeedDocumentId: document.feedDocumentId }
    const { feedId } = (await feeds.createFeed({ body })).data
    return settled(async () => (await feeds.getFeed({ feedId })).data.processingStatus, pauseS)
  },
  async 'list feeds' ({ region, kinds }) {
    const { data } = await connect(FeedsApiClient, region).getFeeds({ feedTypes: kinds })
    return data.feeds.map((feed) => feed.feedType)
  }
})
