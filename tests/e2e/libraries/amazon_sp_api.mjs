// `amazon-sp-api`, as a desktop program uses it.
import { connect } from './settings.mjs'
import { serve, settled } from './stage.mjs'

const VERSION = { version: 'v0' }
const clients = new Map()
function client (region) {
  if (!clients.has(region)) clients.set(region, connect(region))
  return clients.get(region)
}

function read (operation, { region, orderId }, more = {}) {
  return client(region).callAPI({ operation, endpoint: 'orders', path: { orderId }, options: VERSION, ...more })
}

let handle
async function addressByHandle (asked) {
  const shown = await read('getOrder', asked, { restricted_data_token: handle })
  return shown.ShippingAddress
}

await serve({
  async list ({ region, marketplaceId, statuses, since }) {
    const query = { MarketplaceIds: [marketplaceId], CreatedAfter: since, OrderStatuses: statuses }
    const listed = await client(region).callAPI({ operation: 'getOrders', endpoint: 'orders', query, options: VERSION })
    return listed.Orders.map((order) => order.AmazonOrderId)
  },
  async read (asked) {
    return (await read('getOrder', asked)).AmazonOrderId
  },
  async items (asked) {
    return (await read('getOrderItems', asked)).OrderItems.length
  },
  async 'read anew' (asked) {
    clients.clear()
    return (await read('getOrder', asked)).AmazonOrderId
  },
  async restricted (asked) {
    const path = '/orders/v0/orders/{orderId}'
    const body = { restrictedResources: [{ method: 'GET', path, dataElements: ['shippingAddress'] }] }
    const given = await client(asked.region).callAPI({ operation: 'createRestrictedDataToken', endpoint: 'tokens', body })
    handle = given.restrictedDataToken
    return addressByHandle(asked)
  },
  'restricted as before': addressByHandle,
  report ({ region, kind, marketplaceId, pauseS }) {
    const body = { reportType: kind, marketplaceIds: [marketplaceId] }
    return client(region).downloadReport({ body, version: '2021-06-30', interval: pauseS * 1000 })
  },
  async feed ({ region, kind, marketplaceId, content, contentType, pauseS }) {
    const feeds = client(region)
    const document = await feeds.callAPI({ operation: 'createFeedDocument', endpoint: 'feeds', body: { contentType } })
    await feeds.upload(document, { content, contentType })
    const body = { feedType: kind, marketplaceIds: [marketplaceId], inputFeedDocumentId: document.feedDocumentId }
    const { feedId } = await feeds.callAPI({ operation: 'createFeed', endpoint: 'feeds', body })
    const read = () => feeds.callAPI({ operation: 'getFeed', endpoint: 'feeds', path: { feedId } })
    return settled(async () => (await read()).processingStatus, pauseS)
  },
  async 'list feeds' ({ region, kinds }) {
    const query = { feedTypes: kinds }
    const { feeds } = await client(region).callAPI({ operation: 'getFeeds', endpoint: 'feeds', query })
    return feeds.map((feed) => feed.feedType)
  }
})
