// Two pldns servers as the DNS servers of a virtual network, in two zones, with a role that can read endpoints and no more.
//
//   az deployment sub create --location westeurope --template-file main.bicep --parameters \
//     resourceGroup=rg-dns subnetId=/subscriptions/…/subnets/snet-dns sshKey="$(cat ~/.ssh/id_ed25519.pub)"
//
// Then set the two addresses (output `servers`) as the DNS servers of each virtual network.
targetScope = 'subscription'

@description('The existing resource group of the servers.')
param resourceGroup string
@description('Region of the servers.')
param location string = deployment().location
@description('The id of the existing subnet of the servers. Two of its addresses become DNS servers.')
param subnetId string
@description('The static addresses of the servers, in the subnet.')
param addresses array = ['10.0.0.4', '10.0.0.5']
@description('The public SSH key of the administrator.')
param sshKey string
@description('The Debian package or the wheel of pldns, as a URL that the servers can reach.')
param packageUrl string
@description('Size of each server.')
param size string = 'Standard_B2s'

// The permissions that pldns uses, and no other. Reader would also allow reading every other resource.
resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, 'pldns')
  properties: {
    roleName: 'pldns reader (${subscription().subscriptionId})'
    description: 'Reads private endpoints, their network interfaces, virtual networks and private DNS zones.'
    type: 'CustomRole'
    assignableScopes: [subscription().id]
    permissions: [
      {
        actions: [
          'Microsoft.Network/privateEndpoints/read'
          'Microsoft.Network/privateEndpoints/privateDnsZoneGroups/read'
          'Microsoft.Network/networkInterfaces/read'
          'Microsoft.Network/virtualNetworks/read'
          'Microsoft.Network/privateDnsZones/read'
          'Microsoft.Network/privateDnsZones/*/read'
          'Microsoft.Resources/subscriptions/read'
        ]
        notActions: []
      }
    ]
  }
}

module servers 'servers.bicep' = {
  name: 'pldns-servers'
  scope: az.resourceGroup(resourceGroup)
  params: {
    location: location
    subnetId: subnetId
    addresses: addresses
    sshKey: sshKey
    packageUrl: packageUrl
    size: size
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, resourceGroup, 'pldns')
  properties: {
    roleDefinitionId: role.id
    principalId: servers.outputs.principalId
    principalType: 'ServicePrincipal'
  }
}

output servers array = addresses
