// Amazon's SDK for JavaScript, as a desktop program uses it.
import { FeedsSpApi, OrdersSpApi, ReportsSpApi } from '@amazon-sp-api-release/amazon-sp-api-sdk-js'
import { connect, connectRestricted } from './settings.mjs'
import { download, pause, put, serve, settled } from './stage.mjs'

const client = connect(OrdersSpApi)
const orders = () => new OrdersSpApi.OrdersV0Api(client)

await serve({
  async list ({ marketplaceId, statuses, since }) {
    const options = { createdAfter: since, orderStatuses: statuses }
    const listed = await orders().getOrders([marketplaceId], options)
    return listed.payload.orders.map((order) => order.amazonOrderId)
  },
  async read ({ orderId }) {
    return (await orders().getOrder(orderId)).payload.amazonOrderId
  },
  async items ({ orderId }) {
    return (await orders().getOrderItems(orderId)).payload.orderItems.length
  },
  async 'read anew' ({ orderId }) {
    client.clearAccessTokenCache()
    return (await orders().getOrder(orderId)).payload.amazonOrderId
  },
  async restricted ({ orderId }) {
    const restricted = new OrdersSpApi.OrdersV0Api(connectRestricted(OrdersSpApi, ['shippingAddress']))
    return (await restricted.getOrder(orderId)).payload.shippingAddress
  },
  async report ({ kind, marketplaceId, pauseS }) {
    const reports = new ReportsSpApi.ReportsApi(connect(ReportsSpApi))
    const { reportId } = await reports.createReport({ reportType: kind, marketplaceIds: [marketplaceId] })
    let found = await reports.getReport(reportId)
    while (found.processingStatus !== 'DONE') {
      await pause(pauseS)
      found = await reports.getReport(reportId)
    }
    return download(await reports.getReportDocument(found.reportDocumentId))
  },
  async feed ({ kind, marketplaceId, content, contentType, pauseS }) {
    const feeds = new FeedsSpApi.FeedsApi(connect(FeedsSpApi))
    const document = await feeds.createFeedDocument({ contentType })
    await put(document.url, content, contentType)
    const asked = { feedType: kind, marketplaceIds: [marketplaceId], inputFeedDocumentId: document.feedDocumentId }
    const { feedId } = await feeds.createFeed(asked)
    return settled(async () => (await feeds.getFeed(feedId)).processingStatus, pauseS)
  },
  async 'list feeds' ({ kinds }) {
    const { feeds } = await new FeedsSpApi.FeedsApi(connect(FeedsSpApi)).getFeeds({ feedTypes: kinds })
    return feeds.map((feed) => feed.feedType)
  }
})
